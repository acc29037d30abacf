import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Every party killed and stopped at every stage of a swap file's copy, and at the steps at which the copy changes hands.
@Suite(.serialized) struct MirrorCrashTests {
  private static let stages = [
    "precopy-starting", "precopy-copying", "precopy-settling", "precopy-standing",
  ]

  /// Where the files lie, and who is to have which.
  private final class Files: Sendable {
    let place: Owned<TemporaryDirectory>

    init() throws { place = Owned(try TemporaryDirectory(under: "/tmp")) }

    func path(_ name: String) -> String { "\(place.value.path)/\(name)" }

    func names() throws -> [String] { try place.value.directory.names(limit: 10).sorted() }

    var setting: CrashTrial.Setting {
      var setting = CrashTrial.Setting()
      setting.run = ["--resident", "16M", "--swap", path("swap"), "--compression", "1M"]
      setting.handoff = ["--swap", "mirrored", "--swap-file", path("next")]
      setting.isReady = { vm in
        let isUsed = try TestVM.wait { try vm.answer("status").value["swap"]?["used"]?.number ?? 0 > 500 }
        if !isUsed { throw Unexpected("the swap file is never used") }
      }
      setting.inspect = { [self] vm, owner in try findings(vm, owner) }
      return setting
    }

    /// The victor's file is there alone, and holds what the guest's pages need.
    private func findings(_ vm: TestVM, _ owner: CrashForecast.Owner) throws -> [String] {
      var findings: [String] = []
      let due = owner == .source ? "swap" : "next"
      let isAlone = try TestVM.wait { try names() == [due] }
      if !isAlone { findings.append("files \(try names()) instead of \(due)") }
      if try vm.status()["swap"]?["path"]?.text != path(due) {
        findings.append("another file is used: \(try vm.status())")
      }
      _ = try vm.pause()
      var status = try vm.status()
      let isAtRest = try TestVM.wait {
        status = try vm.status()
        return status["memory"]?["swapped_pages"] == status["swap"]?["used"]
          && status["swap"]?["used"] != .null
      }
      if !isAtRest { findings.append("swapped pages and used slots differ: \(status)") }
      _ = try vm.answer("resume")
      return findings
    }
  }

  private static func findings(
    at point: CrashPoint, _ adjust: (inout CrashTrial.Setting) -> Void = { _ in }
  ) -> [String] {
    guard let files = try? Files() else { return ["\(point): no folder"] }
    var setting = files.setting
    adjust(&setting)
    let found = CrashTrial.findings(at: point, setting)
    return found + ((try? files.names()) ?? ["?"]).map { "\(point): \($0) is left" }
  }

  private static func check(_ points: [CrashPoint]) async {
    for finding in await Trials.findings(of: points, { findings(at: $0) }) { Issue.record("\(finding)") }
  }

  @Test(arguments: FaultPlan.Kind.allCases)
  func whateverStepOfTheCopyTheSourceDiesOrHangsAt(_ kind: FaultPlan.Kind) async {
    let steps = [
      "quiesce", "stun", "saveCheckpoint", "releaseStorage", "complete", "race", "takeBack",
      "resume",
    ]
    await Self.check((Self.stages + steps).map { CrashPoint(.source, $0, kind) })
  }

  @Test(arguments: FaultPlan.Kind.allCases)
  func whateverStepOfTheCopyTheDestinationDiesOrHangsAt(_ kind: FaultPlan.Kind) async {
    let steps = ["claimVerify", "takeStorage", "verify", "claimDestination", "resume"]
    await Self.check(steps.map { CrashPoint(.destination, $0, kind) })
  }

  @Test func theGuestSurvivesTheDeathOfTwoWithItsCopy() async { await Self.check(CrashPoint.pairs) }

  /// Somebody else who falls while the source is at a stage of the copy.
  private struct Fall: Sendable, CustomStringConvertible {
    let party: Party
    let kind: FaultPlan.Kind
    let stage: String

    /// The step at which it waits meanwhile.
    var point: CrashPoint {
      CrashPoint(faults: [
        party == .coordinator ? "coordinator:watch:\(kind)" : "destination:awaitComplete:\(kind)"
      ])
    }

    var description: String { "\(point) at \(stage)" }

    /// Waits for the source to stand there, lets the other fall, and lets the source go on.
    func happen(_ vm: TestVM, coordinator: Int32) throws {
      guard let source = try vm.answer("status").value["pid"]?.number.map({ Int32($0) }) else {
        throw Unexpected("nobody runs it")
      }
      guard try TestVM.wait(until: { try vm.machines()[source] == .stopped }) else {
        throw Unexpected("the source does not stop at \(stage)")
      }
      let victim = party == .coordinator ? coordinator : try vm.machines().keys.first { $0 != source }
      guard let victim else { throw Unexpected("there is no destination") }
      let number = kind == .kill ? SignalNumber.kill : SignalNumber.stop
      if party == .coordinator {
        _ = try ProcessDescriptor.open(pid: victim).signal(number)
      } else {
        try ProcessTable.signal(number, pid: victim, of: vm.name)
      }
      let due = kind == .kill ? ProcessTable.State.dead : .stopped
      let hasFallen = TestVM.wait { (ProcessTable.state(of: victim) ?? .dead) == due }
      try ProcessTable.signal(SignalNumber.go, pid: source, of: vm.name)
      if !hasFallen { throw Unexpected("\(victim) does not fall") }
    }
  }

  @Test(arguments: FaultPlan.Kind.allCases) func whoeverFallsWhileItIsCopied(_ kind: FaultPlan.Kind) async {
    let falls = [Party.destination, .coordinator].flatMap { party in
      Self.stages.map { Fall(party: party, kind: kind, stage: $0) }
    }
    let findings = await Trials.findings(of: falls) { fall in
      Self.findings(at: fall.point) { setting in
        setting.faults = "source:\(fall.stage):stop"
        setting.interlude = { try fall.happen($0, coordinator: $1) }
      }
    }
    for finding in findings { Issue.record("\(finding)") }
  }
}
