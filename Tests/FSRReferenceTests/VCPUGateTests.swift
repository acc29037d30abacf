import FSRHost
import FSRReference
import Testing

/// Every order in which vCPUs come to the gate while it is closed and opened, for all that it is closed for.
@Suite struct VCPUGateTests {
  private typealias Budget = GateWorld.Budget

  /// Every world that can be come to; throws what is wrong with the first that is wrong.
  private static func explore(_ first: GateWorld) throws(Wrong) -> Set<GateWorld> {
    var worlds: Set<GateWorld> = [first]
    var new = [first]
    while let world = new.popLast() {
      for other in try world.next() where worlds.insert(other).inserted {
        try other.check()
        new.append(other)
      }
    }
    return worlds
  }

  @Test(arguments: [
    GateWorld(
      vcpus: 1, isFirstLast: true, budget: .init(stops: 2, pauses: 1, pages: 1, guestEnds: 2, ends: 1)),
    GateWorld(vcpus: 2, isFirstLast: true, budget: .init(stops: 2, pauses: 1, guestEnds: 1)),
    GateWorld(vcpus: 2, isFirstLast: false, budget: .init(stops: 1, pauses: 1, guestEnds: 1, ends: 1)),
    GateWorld(vcpus: 2, isFirstLast: true, budget: .init(stops: 1, pauses: 1, pages: 1), isDestination: true),
    GateWorld(vcpus: 3, isFirstLast: true, budget: .init(stops: 2)),
    GateWorld(vcpus: 3, isFirstLast: false, budget: .init(stops: 1, pauses: 1)),
    GateWorld(vcpus: 3, isFirstLast: true, budget: .init(stops: 1), isDestination: true),
  ])
  func inNoOrderIsSomethingLostOrDoneTwice(first: GateWorld) throws {
    let worlds = try Self.explore(first)
    let done = worlds.count { $0.deeds == 1 }
    let over = worlds.count { $0.gate.isOver }
    #expect(done > 0 && (over > 0) == (first.budget.ends > 0) && worlds.count > 500, "\(worlds.count) worlds")
  }

  @Test(arguments: GateWorld.Sabotage.allCases.dropFirst())
  func aRuleLeftOutIsFound(_ sabotage: GateWorld.Sabotage) {
    let first = GateWorld(
      vcpus: 2, isFirstLast: true, budget: .init(stops: 2, pauses: 1, guestEnds: 1), sabotage: sabotage)
    #expect(throws: Wrong.self) { try Self.explore(first) }
  }

  @Test func aWordHoldsAllOfAGate() {
    let empty = VCPUGate(vcpus: 300, isFirstLast: true)
    var gate = empty
    for vcpu in (0..<300).reversed() { #expect(gate.arrive(vcpu) == .wait) }
    #expect(gate.pause() == .inHandoff && gate.areAllParked)
    gate.resume()
    #expect(gate.pause() == nil)
    gate.pauseForPage()
    #expect(gate.askToStop() == .standing)
    #expect(empty.at(gate.word) == gate)
    #expect(gate.look(7) == .switchOver && gate.look(8) == .wait && !gate.cancelStop())
    gate.end()
    #expect(empty.at(gate.word) == gate)
    #expect(gate.look(0) == .leave && gate.parked == 299 && empty.at(gate.word) == gate)
  }

  @Test func whatIsInTheWayOfAPauseIsSaid() {
    var gate = VCPUGate(vcpus: 1, isFirstLast: true)
    #expect(gate.pause() == .inHandoff && gate.unpause() == .inHandoff)
    gate.resume()
    #expect(gate.arrive(0) == .enter)
    gate.guestHasEnded()
    #expect(gate.pause() == .ended && gate.unpause() == .ended && gate.arrive(0) == .wait)
    #expect(gate.askToStop() == .standing && gate.look(0) == .wait)
    gate.restart()
    #expect(gate.look(0) == .switchOver && !gate.isPaused)
  }
}
