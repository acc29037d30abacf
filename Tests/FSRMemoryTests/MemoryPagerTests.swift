import FSRMemory
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

@Suite(.enabled(if: hasUserFault()), .serialized) struct MemoryPagerTests {
  private static let size: UInt64 = 16 << 20
  private static let limit: UInt64 = 1024
  /// Far beyond what anything here takes.
  private static var deadline: UInt64 { MonotonicClock.now() + 60_000_000_000 }

  private static func pager(
    _ memory: GuestMemory, _ store: MemoryPageStore?, cache: UInt64?,
    _ onPause: @escaping @Sendable (PagerFailure) -> Void = { Issue.record("\($0)") }
  ) throws -> MemoryPager {
    let range = 0..<memory.size
    let faults = try MemoryPager.watch(memory, range)
    let ring: CompressionCache? = if let cache { try CompressionCache(capacity: cache) } else { nil }
    return try MemoryPager(
      memory: memory, table: try PageTable(range: range), cache: ring, store: store, faults: faults,
      settings: PagerSettings(limit: limit), onPause: onPause)
  }

  private func expectSound(_ pager: MemoryPager, _ memory: GuestMemory, _ store: MemoryPageStore) throws {
    let pages = pager.status.pages
    #expect(pages.resident <= Self.limit + 64)
    #expect(Int(pages.swapped) == store.used)
    #expect(store.misuse == nil)
    let present = try memory.residentPages()
    #expect(present == pages.resident)
  }

  private func report(_ pager: MemoryPager, _ name: String) {
    var cursor: UInt64 = 0
    let latencies = pager.latencies(after: &cursor).sorted()
    guard !latencies.isEmpty else { return }
    let counts = PagerCount.allCases.map { "\($0) \(pager.status[$0])" }.joined(separator: ", ")
    print(
      "\(name): fault p50 \(latencies[latencies.count / 2]) ns, p99 \(latencies[latencies.count * 99 / 100]) ns, "
        + "max \(latencies[latencies.count - 1]) ns; \(counts)")
  }

  @Test(arguments: [nil, 256 << 10, 2 << 20] as [UInt64?])
  func pagesComeBackAsTheyWere(cache: UInt64?) async throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 1)
    let pager = try Self.pager(memory, store, cache: cache)
    let wrong = await Blocking.run { try? PageWalker.walk(memory, threads: 3, passes: 1...4) }
    #expect(wrong == 0)
    try pager.freeze(deadline: Self.deadline)
    try expectSound(pager, memory, store)
    #expect(pager.status[.writes] > 1000)
    if cache == 256 << 10 { #expect(pager.status[.drains] > 0) }
    report(pager, "cache \(cache ?? 0)")
    pager.end()
  }

  @Test func whatTheKernelHadNoRoomForIsAskedForAgain() throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 6, isSilent: true)
    let pager = try Self.pager(memory, store, cache: nil)
    let done = Owned(try EventDescriptor())
    let wrong = Owned(Atomic<Int>(-1))
    _ = try OSThread.start(name: "walker", detached: true) {
      let walker = PageWalker(memory: memory, pages: 0..<1200)
      wrong.value.store(walker.walk(pass: 1) + walker.walk(pass: 2), ordering: .releasing)
      try? done.value.signal()
    }
    var poller = Poller()
    poller.watch(done.value.descriptor, token: 0)
    let ready = try poller.wait(timeout: 120_000_000_000)
    #expect(ready == [0] && wrong.value.load(ordering: .acquiring) == 0)
    #expect(pager.status[.writes] > 0 && pager.status[.reads] > 0)
    pager.end()
  }

  @Test func aWorkingSetWithinTheLimitIsSpared() async throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 2)
    let pager = try Self.pager(memory, store, cache: nil)
    let wrong = await Blocking.run { PageWalker(memory: memory, pages: 0..<900).walk(pass: 1) }
    #expect(wrong == 0)
    let again = await Blocking.run {
      (2...20).reduce(0) { $0 + PageWalker(memory: memory, pages: 0..<900).walk(pass: $1) }
    }
    #expect(again == 0)
    #expect(pager.status[.writes] == 0)
    #expect(pager.status[.missingFaults] == 900)
    pager.end()
  }

  @Test func failedOperationsAreTriedAgain() async throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 3, failing: Set(stride(from: 100, to: 4000, by: 371)))
    let pager = try Self.pager(memory, store, cache: 128 << 10)
    let wrong = await Blocking.run { try? PageWalker.walk(memory, threads: 3, passes: 1...3) }
    #expect(wrong == 0)
    #expect(pager.status[.failures] > 0)
    try pager.freeze(deadline: Self.deadline)
    #expect(Int(pager.status.pages.swapped) == store.used)
    #expect(store.misuse == nil)
    pager.end()
  }

  @Test func aFullStoreLeavesPagesInMemory() async throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 100, seed: 4)
    let pager = try Self.pager(memory, store, cache: nil)
    let wrong = await Blocking.run { try? PageWalker.walk(memory, threads: 3, passes: 1...3) }
    #expect(wrong == 0)
    #expect(pager.status.pages.swapped <= 100)
    #expect(pager.status.pages.resident > Self.limit)
    pager.end()
  }

  @Test func aPageThatCannotBeReadPausesTheGuestUntilItIsResumed() async throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 5)
    let paused = try EventDescriptor()
    let told = Owned(try paused.duplicate())
    let pager = try Self.pager(memory, store, cache: nil) { failure in
      if failure.reason != .unreadable { Issue.record("\(failure)") }
      try? told.value.signal()
    }
    let wrong = await Blocking.run { try? PageWalker.walk(memory, threads: 1, passes: 1...1) }
    #expect(wrong == 0)
    store.setBroken(true)
    let walker = try OSThread.start(name: "walker") {
      let again = try? PageWalker.walk(memory, threads: 1, passes: 2...2)
      if again != 0 { Issue.record("\(again ?? -1) pages are wrong") }
    }
    var poller = Poller()
    poller.watch(paused.descriptor, token: 0)
    while try poller.wait(timeout: 60_000_000_000).isEmpty {}
    store.setBroken(false)
    pager.guestWasResumed()
    await Blocking.run { walker.join() }
    pager.end()
  }

  @Test func aFreezeThatIsTakenBackChangesNothing() async throws {
    let memory = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 6)
    let pager = try Self.pager(memory, store, cache: 256 << 10)
    let walk = OneWayFlag()
    let walker = try OSThread.start(name: "walker") {
      let wrong = try? PageWalker.walk(memory, threads: 2, passes: 1...3)
      if wrong != 0 { Issue.record("\(wrong ?? -1) pages are wrong") }
      walk.raise()
    }
    var freezes = 0
    while !walk.isUp || freezes == 0 {
      let isQuiet = pager.quiesce(deadline: Self.deadline)
      #expect(isQuiet)
      try pager.freeze(deadline: Self.deadline)
      let first = pager.status.pages
      #expect(Int(first.swapped) == store.used)
      #expect(pager.table.isFrozen)
      var survey = try PageTableSurvey(of: pager.table)
      try survey.look(at: BoundedPlaces())
      try survey.agree()
      #expect(pager.status.pages == first)
      pager.thaw()
      freezes += 1
    }
    await Blocking.run { walker.join() }
    print("froze \(freezes) times")
    pager.end()
  }

  @Test func anotherMappingTakesThePagesOver() async throws {
    let source = try GuestMemory(size: Self.size)
    let store = try MemoryPageStore(slots: 4096, seed: 7)
    let ring = try CompressionCache(capacity: 512 << 10)
    let ringCopy = try ring.descriptor.duplicate()
    let table = try PageTable(range: 0..<Self.size)
    let old = try MemoryPager(
      memory: source, table: table, cache: ring, store: store,
      faults: try MemoryPager.watch(source, 0..<Self.size),
      settings: PagerSettings(limit: Self.limit), onPause: { Issue.record("\($0)") })

    // The destination prepares while the source's guest walks.
    let memory = try GuestMemory(adopting: try source.descriptor.duplicate(), size: Self.size)
    let faults = try MemoryPager.watch(memory, 0..<Self.size)
    let adopted = try PageTable(adopting: try table.descriptor.duplicate(), range: 0..<Self.size)
    var survey = try PageTableSurvey(of: adopted)
    let done = OneWayFlag()
    let walker = try OSThread.start(name: "walker") {
      let wrong = try? PageWalker.walk(source, threads: 3, passes: 1...3)
      if wrong != 0 { Issue.record("\(wrong ?? -1) pages are wrong") }
      done.raise()
    }
    while !done.isUp {
      try MemoryPager.mapAhead(adopted, faults) { done.isUp }
      try survey.look(at: nil as BoundedPlaces?)
    }
    await Blocking.run { walker.join() }

    // The switch: the vCPUs stand, the pager freezes, and what changed since the last look is looked at.
    let isQuiet = old.quiesce(deadline: Self.deadline)
    #expect(isQuiet)
    try old.freeze(deadline: Self.deadline)
    #expect(adopted.isFrozen)
    try survey.look(at: BoundedPlaces())
    try survey.agree()
    old.end()
    let cache = try CompressionCache(adopting: ringCopy)
    let new = try MemoryPager(
      memory: memory, table: adopted, cache: cache, store: store, faults: faults,
      settings: PagerSettings(limit: Self.limit), onPause: { Issue.record("\($0)") })
    let wrong = await Blocking.run { try? PageWalker.walk(memory, threads: 3, passes: 4...6) }
    #expect(wrong == 0)
    try new.freeze(deadline: Self.deadline)
    try expectSound(new, memory, store)
    report(new, "destination")
    new.end()
  }
}
