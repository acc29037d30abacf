import FSRSystem
import FSRTestSupport
import Testing

/// Disks that fill up while a guest runs, and as it is handed over.
@Suite(.serialized) struct FullDiskTests {
  private static let helpers = """
    handoff() { "$FSR" handoff $NAME --max-downtime 5s --runtime-dir vms "$@"; }
    status() { "$FSR" status $NAME --json --runtime-dir vms; }
    fill() { head -c 64m /dev/zero > $1/filler 2> /dev/null; true; }
    number() { status | grep -o "\\"$1\\":[0-9]*" | cut -d: -f2; }
    wait_for() { for i in $(seq 3000); do "$@" && return 0; sleep 0.02; done; return 1; }
    exceeds() { now=$(number $1); [ -n "$now" ] && [ "$now" -gt $2 ]; }
    advances() { wait_for exceeds ticks 0 && wait_for exceeds ticks $now; }
    sound() { status | grep -q '"errors":0'; }
    unharmed() { advances && wait_for sound; }
    """

  /// The runtime folder, with lock, log, history, ledger and blocks, is on one small tmpfs.
  @Test(arguments: ["", "--reserve 1M"]) func aFullRuntimeFolderEndsAHandoffAndNothingElse(reserve: String)
    throws
  {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    let result = try bad.privateShell(
      """
      \(Self.helpers)
      mkdir -p vms && mount -t tmpfs -o size=256k,mode=700 tmpfs vms || exit 99
      "$FSR" run $NAME --memory 4M --duty 30 \(reserve) --runtime-dir vms || exit 90
      handoff || exit 91
      fill vms
      unharmed || exit 92
      handoff 2> said; code=$?
      [ $code = 0 ] || [ $code = 3 ] || [ $code = 4 ] || { cat said >&2; exit $code; }
      [ $code = 0 ] || [ $(wc -l < said) = 1 ] || { cat said >&2; exit 93; }
      echo "handoff $code $(cat said)"
      unharmed || exit 94
      [ $(ls -A $(readlink -f vms/$NAME/blocks) | wc -l) = 1 ] || exit 95
      rm vms/filler; handoff || exit 96
      unharmed || exit 97
      "$FSR" stop $NAME --runtime-dir vms || exit 98
      rm -f said; ls -A vms | grep -v '^[.]ledger'; umount vms
      """)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    #expect(result.output.contains("handoff 3 ") && result.output.contains("No space left"), "\(result)")
    #expect(!result.output.contains("descriptor"), "what is full is named: \(result)")
  }

  /// The blocks are elsewhere than the folder where that is on a disk.
  @Test func aFullSharedMemoryEndsAHandoffAndNothingElse() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    let result = try bad.privateShell(
      """
      \(Self.helpers)
      mkdir -p vms; chmod 700 vms; mount -o remount,size=64k tmpfs /dev/shm || exit 99
      "$FSR" run $NAME --memory 4M --duty 30 --runtime-dir vms || exit 90
      fill /dev/shm
      handoff 2> said; code=$?; echo "handoff $code $(cat said)"
      [ $(wc -l < said) = 1 ] || exit 91
      unharmed || exit 92
      rm /dev/shm/filler; handoff || exit 93
      unharmed || exit 94
      "$FSR" stop $NAME --runtime-dir vms || exit 95
      rm -f said
      """)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    #expect(result.output.contains("handoff 3 ") && result.output.contains("No space left"), "\(result)")
    #expect(!result.output.contains("descriptor"), "what is full is named: \(result)")
  }

  /// The console's file alone is on a full disk: its output is dropped and counted, over a handoff too.
  @Test func aFullConsoleDiskHoldsNobodyUp() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    let result = try bad.privateShell(
      """
      \(Self.helpers)
      mkdir -p vms disk; chmod 700 vms; mount -t tmpfs -o size=64k tmpfs disk || exit 99
      fill disk
      "$FSR" run $NAME --memory 4M --duty 30 --console disk/console --runtime-dir vms || exit 90
      wait_for exceeds dropped_bytes 0 || exit 95
      handoff || exit 91
      unharmed || exit 92
      wait_for exceeds dropped_bytes 0 || exit 93
      "$FSR" stop $NAME --runtime-dir vms || exit 94
      umount disk; rmdir disk
      """)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
  }
}
