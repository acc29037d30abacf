import FSRSystem
import FSRTestSupport
import Testing

/// A copy whose disk does not answer any more while the VM pages: a file system in a file, which is frozen.
@Suite(.serialized) struct MirrorHangTests {
  /// Whether this machine lets a test have such a file system.
  private static let canFreeze: Bool = {
    let result = try? BadInput().shell(
      "mkdir disk && truncate -s 16m image && mkfs.ext4 -q -F image && "
        + "exec unshare --mount bash -c 'mount -o loop image disk && fsfreeze -f disk && fsfreeze -u disk'")
    if result?.code == 0 { return true }
    try? OwnedDescriptor.standardError().write(
      Array("SKIPPED: disks that hang: none can be had here (\(result?.errors ?? "no shell"))\n".utf8))
    return false
  }()

  /// A paged VM, and a disk beside it that `what` freezes at some time.
  private static func script(_ what: String) -> String {
    """
    umask 077; mkdir disk
    fsr() { command=$1; shift; "$FSR" $command $NAME "$@" --runtime-dir vms; }
    number() { fsr status --json | grep -o "\\"$1\\":[0-9][0-9]*" | cut -d: -f2 | grep .; }
    wait_for() { until "$@"; do sleep 0.02; done; }
    exceeds() { now=$(number evictions); [ -n "$now" ] && [ "$now" -gt $1 ]; }
    pages() { wait_for exceeds $(( $(number evictions) + 2000 )); }
    truncate -s 256m image && mkfs.ext4 -q -F image && mount -o loop image disk && chmod 700 disk || exit 80
    # Whatever becomes of all this, nobody hangs for good: not when this script is ended before, either.
    mkfifo never
    (trap "" TERM; read -r -t 140 <> never; fsfreeze -u disk) 2> /dev/null &
    trap "echo 1<> never" EXIT
    trap "exit 124" TERM
    fsr run --memory 32M --resident 8M --compression off --swap swap --duty 50 > /dev/null || exit 81
    pages
    \(what)
    # The guest pages on, though nothing of the copy has come to its end.
    pages
    wait_for eval 'fsr status --json | grep -q "\\"state\\":\\"running\\""'
    fsr handoff --swap mirrored --swap-file other --max-downtime 5s 2> said; [ $? = 3 ] || { cat said; exit 84; }
    grep -q "still being removed" said || { cat said; exit 85; }
    fsr check > /dev/null || exit 86
    fsfreeze -u disk
    # What the disk had kept comes to its end first.
    until fsr handoff --swap mirrored --swap-file other --max-downtime 5s > said 2>&1; do
      [ $? = 3 ] && grep -q "still being removed" said || { cat said; exit 87; }
    done
    pages
    wait_for number errors > said; [ "$(cat said)" = 0 ] || exit 88
    fsr stop > /dev/null || exit 89
    rmdir disk/lost+found; ls -A disk; ls -d swap other vms/* 2> /dev/null
    umount disk
    """
  }

  private static func check(_ what: String) async throws {
    let script = script(what).replacing("'", with: "'\\''")
    let result = await Blocking.run { () -> Result<BuiltCommand.Result, any Error> in
      Result { try BadInput().shell("exec unshare --mount bash -c '\(script)'") }
    }
    let ended = try result.get()
    #expect(ended.code == 0 && ended.output.isEmpty && ended.errors.isEmpty, "\(ended)")
  }

  /// As long as the handoff may take; and where it may take long, until the guest has waited for too long.
  @Test(
    .enabled(if: canFreeze && hasUserFault()),
    arguments: [("4s", "longer than"), ("10m", "has not answered for")])
  func aCopyThatHangsHoldsUpTheGuestForAShortWhile(timeout: String, says: String) async throws {
    try await Self.check(
      """
      fsr handoff --swap mirrored --swap-file disk/next --copy-rate 4M --timeout \(timeout) --max-downtime 5s 2> said & handoff=$!
      wait_for test -e disk/next
      sleep 0.5; fsfreeze -f disk || exit 82
      wait $handoff; [ $? = 4 ] && grep -q "\(says)" said || { cat said; exit 83; }
      """)
  }

  @Test(.enabled(if: canFreeze && hasUserFault()))
  func aFileThatADiskDoesNotMakeIsRefused() async throws {
    try await Self.check(
      """
      fsfreeze -f disk || exit 82
      refused() { [ $? = 3 ] && grep -q "$1" said || { cat said; exit 83; }; }
      fsr handoff --swap mirrored --swap-file disk/next > said 2>&1; refused "disk/next has not answered for 5 s"
      fsr check --swap mirrored --swap-file disk/next > said 2>&1; refused "still being removed"
      """)
  }
}
