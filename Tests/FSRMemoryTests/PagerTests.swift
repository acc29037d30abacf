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
    PagerRun(
      settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 1, buffers: 2), failures: 0, discards: 1),
    PagerRun(
      settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 0, buffers: 2), failures: 1, discards: 1),
    PagerRun(
      settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 0, buffers: 2), failures: 0, handFailures: 1,
      discards: 1),
    PagerRun(
      settings(limit: 1), PagerModel(pages: 2, slots: 2, cache: 1, buffers: 2), failures: 0, handoffs: 1,
      discards: 1),
  ])
  func noInterleavingLosesAPageOrASlot(_ first: PagerRun) {
    let result = explore(first)
    print("explored \(result.states) worlds")
    #expect(result.violation == nil)
    #expect(result.states > 1000)
  }

  /// As after a disk was full: whoever touches a page that is not there does not wait until all of the others have left.
  @Test func aGuestFarOverItsLimitComesDownAndGoesOnMeanwhile() throws {
    let (pages, limit) = (40, 4)
    var settings = PagerSettings(limit: UInt64(pages))
    (settings.overshoot, settings.buffers, settings.readAhead) = (0, 4, 1)
    (settings.candidates, settings.batch) = (1, 1)
    var world = PagerModel(pages: pages, slots: pages, cache: 0, buffers: 4)
    var pager = Pager(settings)
    for page in 0..<pages - 1 {
      pager.fault(UInt64(page), now: 0, &world)
      (world.memory[page], world.written[page]) = (1, 1)
    }
    pager.settings.limit = UInt64(limit)
    pager.tick(now: 0, &world)
    // One page is always wanted: the first that is not there.
    var (wanted, served, writes, waited, longest) = (pages - 1, 0, 0, 0, 0)
    world.stands[wanted] = true
    pager.fault(UInt64(wanted), now: 0, &world)
    while world.residentPages > limit, writes < 1000 {
      if !world.stands[wanted] {
        (served, waited) = (served + 1, 0)
        wanted = try #require(world.table.firstIndex { $0 != .resident })
        world.stands[wanted] = true
        pager.fault(UInt64(wanted), now: 0, &world)
      }
      let operations = world.operations.sorted { $0.key < $1.key }
      let (buffer, operation) = try #require(operations.first { !$0.value.isWrite } ?? operations.first)
      world.operations[buffer] = nil
      if operation.isWrite {
        world.slots[Int(operation.slot)] = operation.value
        (writes, waited) = (writes + 1, waited + 1)
      } else {
        world.buffers[buffer] = world.slots[Int(operation.slot)]
      }
      longest = max(longest, waited)
      pager.completed(buffer, nil, now: 0, &world)
      #expect(world.broken == nil)
    }
    #expect(longest <= 4, "somebody waited for \(longest) pages to leave")
    #expect(served >= 10 && writes <= 2 * pages, "\(served) were served while \(writes) left")
  }
}
