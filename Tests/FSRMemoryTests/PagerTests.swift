import FSRMemory
import Testing

/// Every interleaving of faults, operations' ends, failures and handoffs, in small worlds.
@Suite struct PagerTests {
  private static func settings(limit: UInt64, overshoot: UInt64 = 0) -> PagerSettings {
    var settings = PagerSettings(limit: limit)
    settings.limit = limit
    settings.overshoot = overshoot
    settings.quiesceBound = 1
    settings.candidates = 1
    settings.batch = 1
    settings.buffers = 2
    settings.readAhead = 2
    settings.tries = 2
    settings.retryDelay = 0
    settings.storeDelay = 0
    return settings
  }

  private func explore(_ first: PagerRun, limit: Int = 600_000) -> (states: Int, violation: String?) {
    var seen: Set<PagerRun> = [first]
    var frontier = [first]
    while let run = frontier.popLast() {
      for next in run.successors() where seen.insert(next).inserted {
        if let violation = next.violation() { return (seen.count, violation) }
        if seen.count > limit { return (seen.count, "more than \(limit) worlds") }
        frontier.append(next)
      }
    }
    return (seen.count, nil)
  }

  @Test(arguments: [
    PagerRun(settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 0, buffers: 2), failures: 1),
    PagerRun(settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 1, buffers: 2), failures: 1),
    PagerRun(
      settings(limit: 1), PagerModel(pages: 2, slots: 1, cache: 1, buffers: 2), failures: 1, handFailures: 1),
    PagerRun(settings(limit: 1), PagerModel(pages: 3, slots: 1, cache: 1, buffers: 2), failures: 0),
    PagerRun(
      settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 1, buffers: 2), failures: 1, handoffs: 1),
    PagerRun(settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 0, buffers: 2), failures: 3),
    PagerRun(
      settings(limit: 1, overshoot: 2), PagerModel(pages: 2, slots: 2, cache: 1, buffers: 2), failures: 1,
      handoffs: 1
    ),
  ])
  func noInterleavingLosesAPageOrASlot(_ first: PagerRun) {
    let result = explore(first)
    print("explored \(result.states) worlds")
    #expect(result.violation == nil)
    #expect(result.states > 1000)
  }
}
