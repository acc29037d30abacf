import FSRStorage
import Testing

/// Every interleaving of writes, copying, growth, failures, cancel and wake, in small worlds.
@Suite struct MirrorRouteTests {
  /// How a world came to be.
  private struct Origin {
    var from: Int
    var step: MirrorModel.Step
  }

  /// Looks at every world within `bounds`, the nearest first; answers how many there are, and the way to the first that is
  /// wrong.
  private func explore(_ bounds: MirrorModel.Bounds, limit: Int = 3_000_000) -> (
    worlds: Int, violation: String?
  ) {
    let first = MirrorModel(bounds)
    if let violation = first.violation() { return (1, violation) }
    var seen: Set<MirrorModel> = [first]
    var worlds = [first]
    var origins: [Origin] = []
    var index = 0
    while index < worlds.count {
      let world = worlds[index]
      for step in world.steps(bounds) {
        let next = world.after(step, bounds)
        guard seen.insert(next).inserted else { continue }
        worlds.append(next)
        origins.append(Origin(from: index, step: step))
        if let violation = next.violation() { return (worlds.count, violation + Self.way(origins)) }
        if worlds.count > limit { return (worlds.count, "more than \(limit) worlds") }
      }
      index += 1
    }
    return (worlds.count, nil)
  }

  private static func way(_ origins: [Origin]) -> String {
    var steps: [String] = []
    var index = origins.count
    while index > 0 {
      steps.append("\(origins[index - 1].step)")
      index = origins[index - 1].from
    }
    return steps.reversed().reduce("") { $0 + "\n  " + $1 }
  }

  @Test(arguments: MirrorRouteTests.bounds)
  func noInterleavingLetsTheFilesDifferOrLosesAWrite(bounds: MirrorModel.Bounds) {
    let result = explore(bounds)
    print("explored \(result.worlds) worlds: \(bounds.testDescription)")
    #expect(result.violation == nil)
    #expect(result.worlds >= bounds.leastWorlds)
  }

  @Test func whoWaitsForNothingButTheCopyIsSeen() {
    var route = MirrorRoute(0..<4)
    var deeds: [MirrorRoute.Deed] = []
    route.write(1, 0..<1, &deeds)
    // For writes of before the mirror.
    #expect(!route.isHeldUp)
    route.begin(&deeds)
    _ = route.advance(upTo: 2, &deeds)
    route.write(2, 1..<2, &deeds)
    // For a write in the original, which the chunk waits for too.
    #expect(!route.isMoving && !route.isHeldUp)
    route.originalEnded(1, &deeds)
    #expect(route.isMoving && route.isHeldUp)
    route.moved(&deeds)
    #expect(deeds.last == .start(2, .both) && !route.isHeldUp)
    route.originalEnded(2, &deeds)
    #expect(route.isHeldUp)
    route.copyEnded(2, &deeds)
    #expect(!route.isHeldUp && route.pending == 0)
    route.write(3, 0..<1, &deeds)
    route.originalEnded(3, &deeds)
    route.takeOff(&deeds)
    #expect(!route.isHeldUp && route.pending == 0)
  }
}
