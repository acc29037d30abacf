/// How a page's content is forgotten, as when a guest is started anew.
extension Pager {
  /// Makes `pages` zeros, wherever they are, without bringing any of them in. Nobody who runs the guest touches them
  /// meanwhile; who waits for one finds zeros. False where that was not possible with all of them: a page that the host
  /// does not give up is as it was, and so are all of them in a freeze.
  public mutating func discard(_ pages: Range<UInt64>, now: UInt64, _ world: inout some PagerWorld) -> Bool {
    if mode == .freezing || mode == .frozen { return false }
    var isDone = true
    for page in pages where !discard(page, now: now, &world) { isDone = false }
    settle(now: now, &world)
    return isDone
  }

  private mutating func discard(_ page: UInt64, now: UInt64, _ world: inout some PagerWorld) -> Bool {
    let (isAwaited, isRead) = takeOut(page)
    switch world.state(of: page) {
    case .absent: break
    case .resident:
      guard world.unmap(page, count: 1), punched(page, &world) else { return false }
      world.set(page, .absent)
    case .compressed(let position):
      world.set(page, .absent)
      world.freeEntry(position, of: page)
    case .swapped(let slot):
      world.set(page, .absent)
      // One that is being read is in use until that has ended.
      if !isRead { free(slot, &world) }
    }
    if isAwaited { bringIn(page, tries: 0, now: now, &world) }
    return true
  }

  /// Ends what is under way with the page; answers whether somebody waits for it who would not be served otherwise, and
  /// whether its slot is still being read.
  private mutating func takeOut(_ page: UInt64) -> (isAwaited: Bool, isRead: Bool) {
    switch transits[page] {
    case .candidate:
      candidates.remove(page)
      transits[page] = nil
    case .leaving(let buffer), .draining(let buffer):
      abandon(buffer)
      transits[page] = nil
    case .arriving(let buffer, let isWanted, _):
      if case .read(_, let slot) = journeys[buffer] { journeys[buffer] = .abandonedRead(slot) }
      arriving -= 1
      transits[page] = nil
      return (isWanted, true)
    case .waiting, .retrying, .stuck, nil:
      // Served in its turn, with what is there then.
      break
    }
    return (false, false)
  }
}
