import FSRHandoff
import FSRState
import FSRTestSupport
import Testing

/// Whole handoffs that one thread advances: no party waits inside a step, so any order of theirs can be had.
@Suite struct OneThreadTests {
  @Test(arguments: 0..<8 as Range<UInt64>) func aHandoffOfThreePartiesNeedsOneThread(_ seed: UInt64) throws {
    let handoff = try OneThreadHandoff(seed: seed)
    try handoff.run()
    #expect(handoff.end == .destination && handoff.sourceEnd == .left)
    #expect(handoff.newest?.state == .destination)
    #expect(handoff.running == 1 && handoff.doubled == 0)
  }

  /// Whoever comes too late finds that the destination has won.
  @Test func wheneverItIsInterruptedOneRunsTheGuest() throws {
    var ends: Set<HandoffEnd> = []
    for turn in stride(from: 0, to: 120, by: 3) {
      let handoff = try OneThreadHandoff(seed: UInt64(turn))
      try handoff.run(cancelAt: turn)
      #expect(handoff.running == 1 && handoff.doubled == 0, "interrupted before turn \(turn)")
      if let end = handoff.end { ends.insert(end) }
      #expect(handoff.end == .destination || handoff.sourceRuns)
    }
    #expect(ends.contains(.destination) && ends.contains(.source))
  }

  /// The crash matrix: before any step of any party.
  @Test(arguments: Party.allCases) func whoeverDiesOneRunsTheGuestOrItsSourceDiedBeforeComplete(
    _ party: Party
  ) throws {
    for step in FaultPlan.steps(of: party) {
      for seed in 0..<10 as Range<UInt64> {
        let handoff = try OneThreadHandoff(seed: seed, fault: "\(party):\(step):kill")
        try handoff.run()
        let isLost = handoff.running == 0
        let what = "\(party) killed at \(step), seed \(seed): \(handoff.description)"
        #expect(handoff.doubled == 0, "\(what)")
        #expect(!isLost || handoff.mayBeLost(with: party) && handoff.end == .lost, "\(what)")
      }
    }
  }
}
