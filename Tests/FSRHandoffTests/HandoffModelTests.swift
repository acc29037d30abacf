import FSRHandoff
import Testing

/// Every interleaving of the real machines, with deaths, stops and a late recovery at any moment.
@Suite struct HandoffModelTests {
  struct Exploration {
    var states = 0
    var violation: String?
  }

  /// Visits every world that can be reached; ends at the first broken promise.
  func explore(from first: HandoffModel) -> Exploration {
    var seen: Set<HandoffModel> = [first]
    var frontier = [first]
    while let world = frontier.popLast() {
      do {
        var next = try world.successors()
        next.removeAll { $0 == world }
        if next.isEmpty {
          // At rest, a person's `recover` comes at last, undisturbed; then the promise is due.
          if let last = world.withLastRecovery() { next = [last] } else { try world.checkAtRest() }
        }
        for candidate in next + world.disturbances() where seen.insert(candidate).inserted {
          frontier.append(candidate)
        }
      } catch {
        return Exploration(states: seen.count, violation: "\(error)")
      }
    }
    return Exploration(states: seen.count)
  }

  @Test func noInterleavingRunsTheGuestTwiceOrLosesIt() {
    let result = explore(from: HandoffModel(kills: 2, stops: 1))
    print("explored \(result.states) states")
    #expect(result.violation == nil)
    #expect(result.states > 10_000)
  }

  @Test(arguments: [
    HandoffModel.Sabotage.completeBeforeSave, .loserLeavesAtOnce, .stunWithoutCopies,
    .lateSourceRuns,
  ])
  func aRuleLeftOutIsFound(_ sabotage: HandoffModel.Sabotage) {
    let result = explore(from: HandoffModel(kills: 2, stops: 1, sabotage: sabotage))
    #expect(result.violation != nil)
  }
}
