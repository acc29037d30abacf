import FSRHandoff
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
}
