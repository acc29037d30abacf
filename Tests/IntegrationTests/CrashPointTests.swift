import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Every step of every party, killed and stopped there: the guest runs once, or is lost where it may be.
@Suite(.serialized) struct CrashPointTests {
  /// Tries all of `points`, and answers what was found.
  private static func findings(at points: [CrashPoint], isPaged: Bool = false) async -> [String] {
    await Trials.findings(of: points) { isPaged ? pagedFindings(at: $0) : CrashTrial.findings(at: $0) }
  }

  /// The same with a guest that lives in a quarter of its memory, whose swap file must not be left either.
  private static func pagedFindings(at point: CrashPoint) -> [String] {
    guard let place = try? TemporaryDirectory(under: "/tmp") else { return ["\(point): no folder"] }
    var setting = CrashTrial.Setting()
    setting.run = ["--resident", "16M", "--swap", place.path + "/swap", "--compression", "1M"]
    let found = CrashTrial.findings(at: point, setting)
    let left = (try? place.directory.names(limit: 10)) ?? []
    return found + left.map { "\(point): \($0) is left" }
  }

  @Test func theForecastKnowsEveryStep() {
    for point in CrashPoint.steps + CrashPoint.pairs { _ = CrashForecast(point) }
    let subjects = Set(CrashPoint.steps.compactMap { $0.faults.last })
    let unreachable = CrashPoint.unreachable.count * FaultPlan.Kind.allCases.count
    let all = Party.allCases.map { FaultPlan.steps(of: $0).count }.reduce(0, +)
    #expect(subjects.count + unreachable == all * FaultPlan.Kind.allCases.count)
  }

  @Test(arguments: Party.allCases, FaultPlan.Kind.allCases)
  func whateverStepAPartyDiesOrHangsAt(_ party: Party, _ kind: FaultPlan.Kind) async {
    let points = CrashPoint.steps.filter { point in
      point.faults.last.map { $0.hasPrefix("\(party):") && $0.hasSuffix(kind.rawValue) } ?? false
    }
    for finding in await Self.findings(at: points) { Issue.record("\(finding)") }
  }

  @Test(arguments: [false, true]) func theGuestSurvivesTheDeathOfTwo(isPaged: Bool) async {
    for finding in await Self.findings(at: CrashPoint.pairs, isPaged: isPaged) { Issue.record("\(finding)") }
  }

  /// Those at which pages, slots or the swap file change hands.
  private static let swapSteps: Set<String> = [
    "source:sendManifest", "source:quiesce", "source:stun", "source:saveCheckpoint", "source:releaseStorage",
    "source:complete", "source:race", "source:takeBack", "source:resume", "destination:prepare",
    "destination:claimVerify", "destination:takeStorage", "destination:verify",
    "destination:claimDestination",
    "destination:resume", "coordinator:startSuccessor",
  ]

  @Test(arguments: FaultPlan.Kind.allCases)
  func whateverStepOfTheSwapsTransferAPartyDiesOrHangsAt(_ kind: FaultPlan.Kind) async {
    let steps = Self.swapSteps.map { "\($0):\(kind.rawValue)" }
    let points = CrashPoint.steps.filter { steps.contains($0.faults.last ?? "") }
    #expect(points.count == steps.count)
    for finding in await Self.findings(at: points, isPaged: true) { Issue.record("\(finding)") }
  }
}
