/// How a page comes in.
extension Pager {
  /// Whether a page more has to wait until one that is being written has left.
  func isCrowded(_ world: some PagerWorld) -> Bool {
    let there = world.residentPages + UInt64(arriving)
    return leaving > 0 && there >= limit + settings.overshoot && there + 2 > ceiling
  }

  /// Lets the ceiling follow what is there.
  mutating func adjustCeiling(_ world: some PagerWorld) {
    let there = world.residentPages + UInt64(arriving)
    guard there >= limit + settings.overshoot else {
      ceiling = 0
      return
    }
    // Where nobody came for a while, not too many come at once.
    ceiling = max(there, min(ceiling, there + max(2, settings.overshoot)))
  }

  /// Pages that may be resident now.
  var limit: UInt64 {
    switch mode {
    case .running: settings.limit
    case .quiesced, .freezing, .frozen: settings.limit + settings.quiesceBound
    }
  }

  /// Maps the page, at once where that is possible. Nothing is under way with it.
  mutating func bringIn(_ page: UInt64, tries: Int, now: UInt64, _ world: inout some PagerWorld) {
    let state = world.state(of: page)
    if state == .resident { return world.map(page) }
    if mode == .freezing || mode == .frozen { return wait(page) }
    if isCrowded(world) {
      world.count(.throttled)
      return wait(page)
    }
    if ceiling > 0 { ceiling -= 1 }
    switch state {
    case .resident: break
    case .absent:
      if world.fillZero(page) {
        world.set(page, .resident)
      } else {
        failed(page, .noMemory, tries: tries, now: now, &world)
      }
    case .compressed(let position):
      switch world.expand(page, position) {
      case .placed:
        world.set(page, .resident)
        world.freeEntry(position, of: page)
      case .noMemory: failed(page, .noMemory, tries: tries, now: now, &world)
      case .broken: failed(page, .brokenEntry, tries: tries, now: now, &world)
      }
    case .swapped(let slot):
      guard read(page, slot, isWanted: true, tries: tries, &world) else { return wait(page) }
      readAhead(of: page, slot, &world)
    }
  }

  private mutating func wait(_ page: UInt64) {
    transits[page] = .waiting
    waiting.append(page)
  }

  /// False where no buffer is free.
  private mutating func read(
    _ page: UInt64, _ slot: UInt32, isWanted: Bool, tries: Int, _ world: inout some PagerWorld
  ) -> Bool {
    guard let buffer = freeBuffers.popLast() else { return false }
    journeys[buffer] = .read(page, slot)
    transits[page] = .arriving(buffer: buffer, isWanted: isWanted, tries: tries)
    arriving += 1
    world.read(slot, into: buffer)
    return true
  }

  /// Reads neighbours with it whose slots are near, as they are if they left together, as far as there is room.
  private mutating func readAhead(of page: UInt64, _ slot: UInt32, _ world: inout some PagerWorld) {
    let window = page / settings.readAhead * settings.readAhead
    for other in window..<min(world.pageCount, window + settings.readAhead) where other != page {
      // Half of what may come beyond the limit: the rest is for what somebody waits for.
      let room =
        world.residentPages + UInt64(arriving) < limit + UInt64(leaving) + settings.overshoot / 2
      guard room, freeBuffers.count > journeys.count / 4 else { return }
      guard transits[other] == nil, case .swapped(let place) = world.state(of: other),
        max(place, slot) - min(place, slot) < UInt32(settings.readAhead)
      else { continue }
      if read(other, place, isWanted: false, tries: 0, &world) { world.count(.readAhead) }
    }
  }

  /// What was read is put in its place, or tried again if somebody waits for it.
  mutating func arrived(
    _ page: UInt64, _ slot: UInt32, _ buffer: Int, _ error: PageStoreError?, now: UInt64,
    _ world: inout some PagerWorld
  ) {
    arriving -= 1
    guard case .arriving(_, let isWanted, let tries) = transits[page] else { return }
    transits[page] = nil
    let isPlaced = error == nil && world.place(page, from: buffer, isMapped: isWanted)
    if isPlaced {
      world.set(page, .resident)
      free(slot, &world)
      world.count(.reads)
      if !isWanted {
        transits[page] = .candidate(isAhead: true)
        candidates.append(page)
      }
    } else if isWanted {
      failed(page, error == nil ? .noMemory : .unreadable, tries: tries, now: now, &world)
    } else {
      world.count(.failures)
    }
  }

  private mutating func failed(
    _ page: UInt64, _ reason: PagerFailure.Reason, tries: Int, now: UInt64, _ world: inout some PagerWorld
  ) {
    world.count(.failures)
    if tries + 1 < settings.tries {
      let delay = settings.retryDelay << UInt64(min(tries, 16))
      transits[page] = .retrying(tries: tries + 1, due: now + delay)
      retries.append(page)
    } else {
      transits[page] = .stuck
      stuck.append(page)
      world.pauseGuest(PagerFailure(page: page, reason: reason))
    }
  }

  /// Brings in what waited for room, as long as there is some.
  mutating func serveWaiting(now: UInt64, _ world: inout some PagerWorld) {
    if mode == .freezing || mode == .frozen { return }
    for _ in 0..<waiting.count {
      if isCrowded(world) || freeBuffers.isEmpty { return }
      guard let page = waiting.popFirst() else { return }
      transits[page] = nil
      bringIn(page, tries: 0, now: now, &world)
    }
  }
}
