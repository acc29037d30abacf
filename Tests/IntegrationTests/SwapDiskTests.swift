import FSRTestSupport
import Testing

/// Swap files on disks that are full, fill up, or are read-only, with a runtime folder on another one: tmpfs in mounts of the
/// test's own.
@Suite(.serialized) struct SwapDiskTests {
  private static let helpers = """
    umask 077; mkdir -p vms disk
    run() { "$FSR" run $NAME --memory 32M --resident 8M --compression off --swap disk/swap --duty 50 --runtime-dir vms; }
    handoff() { "$FSR" handoff $NAME --max-downtime 5s --runtime-dir vms; }
    status() { "$FSR" status $NAME --json --runtime-dir vms; }
    fill() { cat /dev/zero > disk/filler 2> /dev/null; true; }
    number() { status | grep -o "\\"$1\\":[0-9]*" | cut -d: -f2; }
    wait_for() { until "$@"; do sleep 0.02; done; }
    says() { status | grep -q "\\"trouble\\":$1"; }
    advances() { first=$(number ticks); wait_for differs; }
    differs() { now=$(number ticks); [ -n "$now" ] && [ "$now" != "$first" ]; }
    unharmed() { advances && wait_for sound; }
    sound() { status | grep -q '"errors":0'; }
    most() { now=$(number resident_pages); [ -n "$now" ] && [ "$now" -le $1 ]; }
    few() { now=$(number slots); [ -n "$now" ]; }
    least() { now=$(number resident_pages); [ -n "$now" ] && [ "$now" -ge $1 ]; }
    """

  private static func check(_ script: String) async throws -> BuiltCommand.Result {
    let result = await Blocking.run { () -> Result<BuiltCommand.Result, any Error> in
      Result { try BadInput().privateShell(helpers + "\n" + script) }
    }
    return try result.get()
  }

  /// 8M are 2048 pages; 128 more may be there for a moment.
  @Test(.enabled(if: BadInput.hasPrivateMounts && hasUserFault()))
  func aDiskThatFillsUpKeepsPagesInMemoryUntilThereIsRoom() async throws {
    let result = try await Self.check(
      """
      mount -t tmpfs -o size=64m,mode=700 tmpfs disk || exit 80
      head -c 60m /dev/zero > disk/filler || exit 81
      run || exit 82
      wait_for says '"the swap file is full"'
      wait_for least 4000
      unharmed || exit 83
      wait_for few; [ "$now" -le 1024 ] || exit 84
      handoff || exit 85
      wait_for says '"the swap file is full"'
      unharmed || exit 86
      wait_for few; [ "$now" -le 1024 ] || exit 87
      rm disk/filler
      wait_for says null
      wait_for most 2176
      wait_for says null
      unharmed || exit 88
      handoff || exit 89
      unharmed || exit 90
      "$FSR" stop $NAME --runtime-dir vms || exit 91
      ls -A disk; umount disk || exit 92
      """)
    #expect(result.code == 0 && result.errorLines.allSatisfy { $0.contains("lies on a tmpfs") }, "\(result)")
    #expect(!result.output.contains("swap\n") && !result.output.contains("LEFT"), "\(result)")
  }

  /// There is room for the file, and none for a page in it.
  @Test(.enabled(if: BadInput.hasPrivateMounts && hasUserFault()))
  func whereNoPageFitsFromTheStartTheGuestKeepsAllOfThem() async throws {
    let result = try await Self.check(
      """
      mount -t tmpfs -o size=1m,mode=700 tmpfs disk || exit 80
      fill; truncate -s -16384 disk/filler || exit 81
      run || exit 82
      wait_for says '"the swap file is full"'
      wait_for least 4000
      wait_for few; [ "$now" = 0 ] || exit 83
      unharmed || exit 84
      handoff || exit 85
      unharmed || exit 86
      "$FSR" stop $NAME --runtime-dir vms || exit 87
      ls -A disk; umount disk || exit 88
      """)
    #expect(result.code == 0 && result.errorLines.allSatisfy { $0.contains("lies on a tmpfs") }, "\(result)")
    #expect(!result.output.contains("swap\n"), "\(result)")
  }

  @Test(
    .enabled(if: BadInput.hasPrivateMounts && hasUserFault()),
    arguments: [
      (what: "full", preparation: "fill", says: "No space left on device"),
      (what: "read-only", preparation: "mount -o remount,ro tmpfs disk", says: "Read-only file system"),
      (
        what: "read-only with a file", preparation: "touch disk/swap && mount -o remount,ro tmpfs disk",
        says: "Read-only file system"
      ),
    ])
  func aDiskThatTakesNothingIsRefused(_ one: (what: String, preparation: String, says: String)) async throws {
    let result = try await Self.check(
      """
      mount -t tmpfs -o size=1m,mode=700 tmpfs disk || exit 80
      \(one.preparation)
      before=$(ls -A disk)
      run; code=$?
      [ "$(ls -A disk)" = "$before" ] || exit 81
      ls -A vms | grep -v '^[.]ledger'
      umount disk || exit 82
      exit $code
      """)
    #expect(result.code == 3 && result.output.isEmpty && result.complainsOnce, "\(one.what): \(result)")
    #expect(result.errors.contains(one.says) && result.errors.contains("swap file"), "\(one.what): \(result)")
    #expect(!result.errors.contains("descriptor"), "the file is named: \(result)")
  }

  /// As long as the VM runs nobody can make its disk read-only.
  @Test(.enabled(if: BadInput.hasPrivateMounts && hasUserFault()))
  func aDiskInUseStaysWritable() async throws {
    let result = try await Self.check(
      """
      mount -t tmpfs -o size=64m,mode=700 tmpfs disk || exit 80
      run || exit 81
      ! mount -o remount,ro tmpfs disk 2> said || exit 82
      grep -q busy said || { cat said >&2; exit 83; }
      handoff || exit 84
      ! mount -o remount,ro tmpfs disk 2> said || exit 85
      unharmed || exit 86
      "$FSR" stop $NAME --runtime-dir vms || exit 87
      mount -o remount,ro tmpfs disk && umount disk || exit 88
      """)
    #expect(result.code == 0 && result.errorLines.allSatisfy { $0.contains("lies on a tmpfs") }, "\(result)")
  }
}
