import FSRSystem
import FSRTestSupport
import Testing

/// Somebody has removed the folder of a VM that runs.
@Suite(.serialized) struct FolderlessTests {
  private static let prelude = """
    fsr() { "$FSR" "$@" --runtime-dir "$PWD/vms"; }
    mkdir -p vms
    fsr run $NAME --memory 16M --duty 5 $OPTIONS > said || exit 90
    VM=$(fsr status $NAME --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
    blocks=$(readlink -f vms/$NAME/blocks)
    rm -r vms/$NAME
    """

  private static func shell(_ script: String, options: String = "") throws -> BuiltCommand.Result {
    try BadInput().shell("OPTIONS='\(options)'; \(prelude)\n\(script)\nrm -rf said vms; ls -A")
  }

  @Test func itIsToldOfAndKeepsItsName() throws {
    let result = try Self.shell(
      """
      fsr list --json | grep -o "$NAME runs as process $VM" || exit 91
      for command in status check handoff recover abort 'run --memory 16M'; do
        fsr ${command%% *} $NAME $(echo "$command" | grep -o ' .*') > said 2>&1; echo "${command%% *} $?"
        grep -q "process $VM, and somebody has removed its folder" said || cat said
      done
      kill -0 $VM && fsr stop $NAME > said && [ ! -e /proc/$VM/fd/0 ] && [ ! -e $blocks ] || exit 92
      fsr status $NAME > said 2>&1; echo "gone $?"
      """)
    let codes = ["status", "check", "handoff", "recover", "abort", "run"].map { "\($0) 3\n" }.joined()
    #expect(result.code == 0 && result.output.hasSuffix(codes + "gone 7\n"), "\(result)")
  }

  /// In its log, which it has open still; and in the journal, where it is a service.
  @Test func itsVMMSaysSoByItself() throws {
    let result = try Self.shell(
      """
      until grep -q "has removed the VM's folder" /proc/$VM/fd/2; do sleep 0.1; done
      fsr stop $NAME > said || exit 91
      """)
    #expect(result.code == 0 && result.output.isEmpty, "\(result)")
  }

  /// One that a signal has stopped cannot clear up by itself.
  @Test(arguments: [false, true]) func itIsEndedAndLeavesNothing(isStopped: Bool) throws {
    let result = try Self.shell(
      """
      \(isStopped ? "kill -STOP $VM" : ":")
      fsr stop $NAME > said || exit 91
      [ ! -e /proc/$VM/fd/0 ] || echo "it lives"
      [ ! -e $blocks ] || echo "$blocks is left"
      """)
    #expect(result.code == 0 && result.output.isEmpty, "\(result)")
  }

  @Test(.enabled(if: hasUserFault())) func itsSwapFileGoesWithIt() throws {
    let result = try Self.shell(
      "[ -e swap ] && fsr stop $NAME > said || exit 91", options: "--resident 4M --swap swap")
    #expect(result.code == 0 && result.output.isEmpty, "\(result)")
  }

  /// One that is stopped in order removes its folder before it ends.
  @Test func aNameIsFreeOnceItsVMWasStopped() throws {
    let result = try BadInput().shell(
      """
      fsr() { "$FSR" "$@" --runtime-dir "$PWD/vms"; }
      for round in 1 2 3 4 5; do
        fsr run $NAME --memory 16M > said || exit 91
        VM=$(fsr status $NAME --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
        kill $VM; while [ -e vms/$NAME ]; do :; done
      done
      fsr list | grep -v '^no VMs'; rm -rf said vms; ls -A
      """)
    #expect(result.code == 0 && result.output.isEmpty, "\(result)")
  }
}
