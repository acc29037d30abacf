import FSRHandoff
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// Every step of every party, killed and stopped there: the guest runs once, or is lost where it may be.
@Suite(.serialized) struct CrashPointTests {
  /// How many points are tried at once: most of their time is waiting for deadlines.
  private static let width = 4

  /// Tries all of `points`, on threads of their own, and answers what was found.
  private static func findings(at points: [CrashPoint]) async -> [String] {
    let found = Owned(Findings(points))
    await withCheckedContinuation { continuation in
      let isStarted = try? OSThread.start(name: "crash points", detached: true) {
        _ = try? race(Array(repeating: { @Sendable in found.value.work() }, count: width))
        continuation.resume()
      }
      if isStarted == nil { continuation.resume() }
    }
    return found.value.all
  }

  private struct Findings: ~Copyable, Sendable {
    private let points: [CrashPoint]
    private let next = Atomic<Int>(0)
    private let found = Mutex<[String]>([])

    init(_ points: [CrashPoint]) { self.points = points }

    func work() {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < points.count else { return }
        let new = CrashTrial.findings(at: points[index])
        found.withLock { $0 += new }
      }
    }

    var all: [String] {
      let tried = min(next.load(ordering: .relaxed), points.count)
      return found.withLock { $0 } + (tried == points.count ? [] : ["only \(tried) points were tried"])
    }
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

  @Test func theGuestSurvivesTheDeathOfTwo() async {
    for finding in await Self.findings(at: CrashPoint.pairs) { Issue.record("\(finding)") }
  }
}
