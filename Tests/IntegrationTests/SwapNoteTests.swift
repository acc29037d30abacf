import FSRSystem
import FSRTestSupport
import Testing

/// What a folder tells of a VM's swap file is spoilt: the file that fsr made goes with the VM all the same.
@Suite(.serialized, .enabled(if: hasUserFault())) struct SwapNoteTests {
  /// What is done in the VM's folder.
  enum Harm: String, CaseIterable {
    case noteLeadsElsewhere = "ln -sfn /dev/null swap"
    case noteIsGone = "rm swap"
    case markIsRubbish = "printf rubbish > vm"
    case markNamesAnotherMachine = "sed -i 's/^machine .*/machine 0123456789abcdef0123456789abcdef/' vm"
    case nothingTellsOfIt =
      "printf rubbish > vm; for b in blocks/*; do head -c 9000 /dev/zero | tr '\\0' x > $b; done"

    /// Whether the folder of a VM whose VMM was killed tells enough.
    var isOvercome: Bool { self != .noteLeadsElsewhere && self != .noteIsGone }
  }

  private static func check(_ harm: Harm, isKilled: Bool) throws -> BuiltCommand.Result {
    try BadInput().shell(
      """
      fsr() { "$FSR" "$@" --runtime-dir "$PWD/vms"; }
      fsr run $NAME --memory 16M --duty 5 --resident 4M --swap $PWD/swap > said || exit 90
      VM=$(fsr status $NAME --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      [ -e swap ] || exit 91
      \(isKilled ? "kill -9 $VM; while [ -e /proc/$VM/fd/0 ]; do sleep 0.01; done" : "")
      ( cd vms/$NAME && { \(harm.rawValue); } ) || exit 92
      fsr stop $NAME > said || exit 93
      rm said; rm -rf vms/.ledger*; rmdir vms; ls -A
      """)
  }

  /// The way to the file is kept without links, which may lead elsewhere by the time of the VM's end.
  @Test func ofAKilledOneTheFileGoesThoughALinkToItLeadsElsewhere() throws {
    let result = try BadInput().shell(
      """
      fsr() { "$FSR" "$@" --runtime-dir "$PWD/vms"; }
      mkdir disk other; ln -s disk link
      fsr run $NAME --memory 16M --duty 5 --resident 4M --swap link/swap > said || exit 90
      VM=$(fsr status $NAME --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      [ -e disk/swap ] || exit 91
      kill -9 $VM; while [ -e /proc/$VM/fd/0 ]; do sleep 0.01; done
      ln -sfn other link; echo kept > other/swap
      fsr stop $NAME > said || exit 93
      ls disk; cat other/swap; rm -r disk other link said; rm -rf vms/.ledger*; rmdir vms; ls -A
      """)
    #expect(result.code == 0 && result.output == "kept\n", "\(result)")
  }

  @Test(arguments: Harm.allCases) func aVMMKnowsItsFileByItself(_ harm: Harm) throws {
    let result = try Self.check(harm, isKilled: false)
    #expect(result.code == 0 && result.output.isEmpty, "\(result)")
  }

  @Test(arguments: Harm.allCases.filter(\.isOvercome)) func ofAKilledOneWhateverTellsOfItIsBelieved(
    _ harm: Harm
  )
    throws
  {
    let result = try Self.check(harm, isKilled: true)
    #expect(result.code == 0 && result.output.isEmpty, "\(result)")
  }
}
