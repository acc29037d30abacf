/// How a page leaves.
extension Pager {
  /// Drains in flight at once.
  static let drainLimit = 16
  /// How far the hand goes for a page of a batch, at most.
  static let reach = 8

  /// What follows every event: who waited is served, and who is over the limit leaves.
  mutating func settle(now: UInt64, _ world: inout some PagerWorld) {
    adjustCeiling(world)
    serveWaiting(now: now, &world)
    balance(now: now, &world)
    // What was packed without a write has made room at once.
    if !waiting.isEmpty { serveWaiting(now: now, &world) }
    if mode == .freezing, isIdle { mode = .frozen }
  }

  /// Pages that will be resident once what is under way has ended.
  private func expected(_ world: some PagerWorld) -> UInt64 {
    let coming = world.residentPages + UInt64(arriving)
    return coming - min(coming, UInt64(leaving))
  }

  private var mayWrite: Bool {
    leaving + draining < max(1, journeys.count / 2) && !freeBuffers.isEmpty
  }

  private mutating func balance(now: UInt64, _ world: inout some PagerWorld) {
    switch mode {
    case .freezing, .frozen: return
    case .quiesced: if expected(world) > limit { quiesceWasOverrun = true }
    case .running: drain(now: now, &world)
    }
    if restsUntil > now { return }
    if expected(world) + UInt64(settings.candidates) > limit, candidates.count < settings.candidates {
      pickCandidates(&world)
    }
    var refused = 0
    while expected(world) > limit, mayWrite {
      if candidates.isEmpty { pickCandidates(&world) }
      guard let page = candidates.popFirst() else { return }
      if evict(page, now: now, &world) { continue }
      refused += 1
      // The rest of the pages is as hard to place; they stay, and are looked at again later.
      if refused >= settings.batch || trouble == nil {
        restsUntil = now + settings.storeDelay
        return
      }
    }
  }

  /// The hand goes on to the next resident pages, and unmaps those with which nothing is under way.
  private mutating func pickCandidates(_ world: inout some PagerWorld) {
    var picked = 0
    var run: Range<UInt64>?
    var hasWrapped = false
    for _ in 0..<settings.batch * Self.reach where picked < settings.batch {
      guard let page = world.nextResident(from: hand) else {
        if hasWrapped { break }
        hasWrapped = true
        hand = 0
        continue
      }
      hand = page + 1
      if transits[page] != nil { continue }
      if let open = run, open.upperBound == page {
        run = open.lowerBound..<page + 1
      } else {
        if let run { propose(run, &world) }
        run = page..<page + 1
      }
      picked += 1
    }
    if let run { propose(run, &world) }
  }

  private mutating func propose(_ run: Range<UInt64>, _ world: inout some PagerWorld) {
    // A hand that has gone round may have a page twice.
    let isNew = run.allSatisfy { transits[$0] == nil }
    guard isNew, world.unmap(run.lowerBound, count: run.upperBound - run.lowerBound) else {
      if isNew { world.count(.failures) }
      return
    }
    for page in run {
      transits[page] = .candidate(isAhead: false)
      candidates.append(page)
    }
  }

  /// Packs a candidate, and sends it away; false where there was no place for it, and it stays, unmapped.
  private mutating func evict(_ page: UInt64, now: UInt64, _ world: inout some PagerWorld) -> Bool {
    transits[page] = nil
    guard let buffer = freeBuffers.popLast() else { return false }
    switch world.pack(page, into: buffer) {
    case .zero:
      release(buffer)
      guard punched(page, &world) else { return false }
      world.set(page, .absent)
      world.count(.zeros)
      return true
    case .kept(let position):
      release(buffer)
      guard punched(page, &world) else {
        world.freeEntry(position, of: page)
        return false
      }
      world.set(page, .compressed(position))
      world.count(.compressions)
      return true
    case .raw:
      guard let slot = slot(now: now, &world) else {
        release(buffer)
        return false
      }
      journeys[buffer] = .eviction(page, slot)
      transits[page] = .leaving(buffer: buffer)
      leaving += 1
      world.write(slot, from: buffer)
      return true
    case .failed:
      world.count(.failures)
      release(buffer)
      return false
    }
  }

  func punched(_ page: UInt64, _ world: inout some PagerWorld) -> Bool {
    if world.punch(page) { return true }
    world.count(.failures)
    return false
  }

  /// Sends the cache's oldest entries to the store, so that there is room at its head.
  private mutating func drain(now: UInt64, _ world: inout some PagerWorld) {
    while world.cacheIsNearlyFull, trouble == nil, draining < Self.drainLimit, mayWrite {
      guard let (page, position) = world.nextEntryToDrain() else { return }
      // Entries that the table does not name are nobody's.
      guard page < world.pageCount, world.state(of: page) == .compressed(position) else {
        world.freeEntry(position, of: page)
        continue
      }
      // Somebody waits for it: it leaves the cache by itself.
      if transits[page] != nil { continue }
      guard let buffer = freeBuffers.popLast() else { return }
      guard world.unpack(page, position, into: buffer) else {
        world.count(.failures)
        release(buffer)
        continue
      }
      guard let slot = slot(now: now, &world) else {
        release(buffer)
        world.drainEntriesAgain()
        return
      }
      journeys[buffer] = .drain(page, position: position, slot)
      transits[page] = .draining(buffer: buffer)
      draining += 1
      world.write(slot, from: buffer)
    }
  }

  // MARK: slots and buffers

  /// A slot to write to, unless the store is in trouble.
  private mutating func slot(now: UInt64, _ world: inout some PagerWorld) -> UInt32? {
    if trouble != nil { return nil }
    guard let slot = world.allocateSlot(near: lastSlot.map { $0 &+ 1 }) else {
      storeFailed(.full, now: now, &world)
      return nil
    }
    lastSlot = slot
    return slot
  }

  mutating func free(_ slot: UInt32, _ world: inout some PagerWorld) {
    world.freeSlot(slot)
    // There is a place again.
    if trouble == .full { rested() }
  }

  /// A slot that was written in vain is no room: what failed a moment ago would fail at once again, and again.
  mutating func giveBack(_ slot: UInt32, after error: PageStoreError?, _ world: inout some PagerWorld) {
    if error == nil { free(slot, &world) } else { world.freeSlot(slot) }
  }

  mutating func storeFailed(_ error: PageStoreError, now: UInt64, _ world: inout some PagerWorld) {
    trouble = error
    restsUntil = now + settings.storeDelay
    world.count(.failures)
  }

  mutating func rested() {
    trouble = nil
    restsUntil = 0
  }

  /// Its page was taken back; the slot is free once the write has ended.
  mutating func abandon(_ buffer: Int) {
    switch journeys[buffer] {
    case .eviction(_, let slot):
      leaving -= 1
      journeys[buffer] = .abandoned(slot)
    case .drain(_, _, let slot):
      draining -= 1
      journeys[buffer] = .abandoned(slot)
    case .none, .abandoned, .read, .abandonedRead: break
    }
  }

  mutating func release(_ buffer: Int) {
    journeys[buffer] = .none
    freeBuffers.append(buffer)
  }
}
