import FSRSystem
import FSRTestSupport
import Testing

/// Every operation of the swap file fails once, one in each run of the same work, from the first to the last that there is:
/// a sweep ends with runs in which nothing failed.
@Suite(.enabled(if: hasUserFault()), .serialized) struct SwapSweepTests {
  struct Sweep: Sendable, CustomTestStringConvertible {
    let operation: IOFaultPlan.Operation
    let reason: IOFaultPlan.Reason
    let course: SwapTrial.Course
    /// What follows a number.
    var next: @Sendable (UInt64) -> UInt64 = { $0 + 1 }
    var compression: UInt64 = 0

    var testDescription: String {
      "\(operation.rawValue) \(reason.rawValue) \(course)" + (compression > 0 ? " with a cache" : "")
    }
  }

  /// Operations of a run, at most.
  private static let bound: UInt64 = 5000
  /// Runs without the operation that is to fail, one after the other, that end a sweep: not all are of the same length.
  private static let missLimit = 3
  /// Findings after which a sweep has said enough.
  private static let findingLimit = 5

  private static func run(_ sweep: Sweep) throws -> [String] {
    // What the same work does where nothing fails.
    let calm = try SwapTrial(
      sweep.operation, .max, sweep.reason, .once, compression: sweep.compression)
    calm.perform()
    var findings = calm.findings
    if calm.count.failures > 0 { findings.append("without a plan: \(calm.count)") }
    var number: UInt64 = 1
    var last: UInt64 = 0
    var trials = 0
    var misses = 0
    var pauses = 0
    var calledOff = 0
    // Each finding may have taken as long as a trial waits for something.
    while number < bound, findings.count < findingLimit {
      let trial = try SwapTrial(
        sweep.operation, number, sweep.reason, sweep.course, compression: sweep.compression)
      trial.perform()
      findings += trial.findings
      if trial.count.failures == 0 {
        misses += 1
        if misses == missLimit { break }
        continue
      }
      misses = 0
      last = number
      trials += 1
      pauses += trial.count.pauses > 0 ? 1 : 0
      calledOff += trial.count.calledOff > 0 ? 1 : 0
      number = sweep.next(number)
    }
    if findings.count >= findingLimit { return findings }
    let expected = (sweep.operation == .read ? calm.count.reads : calm.count.writes) / 4
    if expected == 0 || last < expected {
      findings.append("\(last) operations were covered, of \(expected) at least; calm: \(calm.count)")
    }
    if number >= bound { findings.append("it does not end") }
    print(
      "sweep \(sweep.testDescription): \(trials) trials up to operation \(last); \(pauses) paused the guest, in \(calledOff) a handoff was called off"
    )
    if sweep.course == .once, pauses > 0 { findings.append("\(pauses) paused the guest") }
    if sweep.operation == .read, sweep.course != .once, pauses == 0 {
      findings.append("none paused the guest")
    }
    return findings
  }

  private static func check(_ sweep: Sweep) async {
    let findings = await Blocking.run { () -> [String] in
      do { return try run(sweep) } catch { return ["\(error)"] }
    }
    for finding in findings.prefix(20) { Issue.record("\(sweep.testDescription): \(finding)") }
  }

  @Test(arguments: [
    Sweep(operation: .write, reason: .inputOutput, course: .once),
    Sweep(operation: .write, reason: .noSpace, course: .once),
    Sweep(operation: .read, reason: .inputOutput, course: .once),
    Sweep(operation: .read, reason: .noSpace, course: .once),
    Sweep(operation: .write, reason: .inputOutput, course: .once, compression: 64 << 10),
    Sweep(operation: .read, reason: .inputOutput, course: .once, compression: 64 << 10),
  ])
  func eachOperationMayFailOnce(sweep: Sweep) async { await Self.check(sweep) }

  @Test(arguments: [
    Sweep(operation: .write, reason: .noSpace, course: .stretch, next: { $0 + 13 }),
    Sweep(operation: .read, reason: .inputOutput, course: .stretch, next: { $0 + 13 }),
  ])
  func aDiskMayFailForAWhile(sweep: Sweep) async { await Self.check(sweep) }

  @Test(arguments: [
    Sweep(operation: .write, reason: .noSpace, course: .lasting, next: { $0 + 13 }),
    Sweep(operation: .write, reason: .inputOutput, course: .lasting, next: { $0 + 13 }),
    Sweep(operation: .read, reason: .inputOutput, course: .lasting, next: { $0 * 2 }),
  ])
  func aDiskMayFailForGood(sweep: Sweep) async { await Self.check(sweep) }
}
