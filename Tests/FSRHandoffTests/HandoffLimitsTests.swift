import FSRHandoff
import FSRSystem
import Testing

@Suite struct HandoffLimitsTests {
  /// The table in docs/failure-model.md, and what it says of a hung process and a heartbeat that has stopped.
  @Test func theyAreWhatTheFailureModelSays() {
    let limits = HandoffLimits()
    #expect(limits.answer == 10_000_000_000)
    #expect(limits.copies == 5_000_000_000)
    #expect(limits.fence == 250_000_000)
    #expect(limits.reap == 2_000_000_000)
    #expect(limits.settle == 3_000_000_000)
    // Far below all of them: it is how late anything is seen.
    #expect(limits.pollInterval <= 5_000_000 && limits.pollInterval > 0)
    #expect(HandoffLimits.longest == 7 * 24 * 3600 * 1_000_000_000)
    let options = CoordinatorSession.Options()
    #expect(options.maxDowntime == 50_000_000 && options.timeout == 30_000_000_000)
    #expect(Coordinator.successorLimit == 2)
  }

  @Test func eachIsReadByItsName() throws {
    let limits = try HandoffLimits(
      parsing: "settle=60s,answer=2m,fence=500ms,poll=100us,reap=1ms,copies=60m")
    #expect(limits.answer == 120_000_000_000)
    #expect(limits.fence == 500_000_000)
    #expect(limits.reap == 1_000_000)
    #expect(limits.settle == 60_000_000_000)
    #expect(limits.copies == 3_600_000_000_000)
    #expect(limits.pollInterval == 100_000)
  }

  @Test func whatIsNotGivenIsAsUsual() throws {
    var expected = HandoffLimits()
    expected.settle = 7_000_000
    #expect(try HandoffLimits(parsing: "settle=7ms") == expected)
    #expect(try HandoffLimits(parsing: "scale=1") == HandoffLimits())
  }

  /// How late anything is seen grows with nothing.
  @Test func aScaleIsOfAllTimeoutsThatAreNotGiven() throws {
    var expected = HandoffLimits()
    expected.scaleTimeouts(by: 20)
    #expect(expected.answer == 200_000_000_000 && expected.fence == 5_000_000_000)
    #expect(expected.reap == 40_000_000_000 && expected.settle == 60_000_000_000)
    #expect(expected.copies == 100_000_000_000 && expected.pollInterval == HandoffLimits().pollInterval)
    #expect(try HandoffLimits(parsing: "scale=20") == expected)
    expected.answer = 30_000_000_000
    #expect(try HandoffLimits(parsing: "answer=30s,scale=20") == expected)
    #expect(try HandoffLimits(parsing: "scale=20,answer=30s") == expected)
  }

  /// However they are given, none is beyond what a handoff's deadline may be.
  @Test func theBoundsAreWithinWhatADeadlineMayBe() throws {
    var limits = HandoffLimits()
    limits.scaleTimeouts(by: HandoffLimits.scales.upperBound)
    for time in [limits.answer, limits.fence, limits.reap, limits.settle, limits.copies] {
      #expect(HandoffLimits.timeouts ~= time)
    }
    #expect(HandoffLimits.timeouts.upperBound < HandoffLimits.longest)
    #expect(HandoffLimits.pollIntervals ~= limits.pollInterval)
  }

  @Test(arguments: [
    "", ",", "scale", "scale=", "=20", "scale=20,", ",scale=20", "scale=20;settle=3s", "scale=20 ",
    " scale=20",
    "scale=0", "scale=101", "scale=-1", "scale=+2", "scale=2.5", "scale=20s", "scale=99999999999999999999",
    "scale=2,scale=2", "settle=3s,settle=3s", "settle=3", "settle=", "settle=0s", "settle=999us",
    "settle=61m",
    "settle=3600001ms", "answer=1h", "answer=-1s", "answer=1s=2s", "poll=99us", "poll=1001ms", "poll=0ms",
    "SCALE=20", "pollInterval=2ms", "patience=3s", "settle=٣s", "settle=99999999999999999999m",
  ])
  func nonsenseIsRefusedInOneLine(text: String) {
    let error = #expect(throws: ValueError.self) { try HandoffLimits(parsing: text) }
    let said = error?.description ?? ""
    #expect(!said.isEmpty && !said.contains("\n") && !said.hasSuffix("."))
  }

  @Test func whatIsWrongIsNamed() {
    for (text, word) in [
      ("patience=3s", "'patience'"), ("settle=61m", "'settle' is 1ms to 60m"),
      ("poll=2s", "'poll' is 100us to 1s"),
      ("scale=101", "1 to 100"), ("reap=1s,reap=2s", "'reap' is given twice"),
      ("fence=3", "'fence': a time is"),
    ] {
      let error = #expect(throws: ValueError.self) { try HandoffLimits(parsing: text) }
      #expect(error?.description.contains(word) == true, "\(text): \(error?.description ?? "")")
    }
  }
}
