/// Decides what happens to each page of a guest with a resident limit: a value without any deed of its own.
///
/// Events are its methods; what it sees and does is a `PagerWorld`, given with each. One page at a time has one *transit*
/// here, beside its state in the page table, which stays right all the while: a page that is being written is resident
/// until the write is done and its memory is a hole; one that is being read is swapped until its content is in its place.
///
/// Second chance: a hand goes round the resident pages and unmaps some, which become candidates. A candidate that is
/// touched faults, and is spared. The oldest that was not is packed: given up if it is all zeros, kept in the compression
/// cache, or written to the store. An unmapped page cannot change: who touches it waits for an answer. Such a fault takes
/// the page back at any time before its memory is a hole.
public struct Pager: Sendable, Hashable {
  public var settings: PagerSettings
  public internal(set) var mode = Mode.running
  /// Why nothing is written to the store at the moment; nil where nothing is wrong.
  public internal(set) var trouble: PageStoreError?
  /// Whether evictions had to go on in spite of a quiesce, because the guest used up its bound.
  public internal(set) var quiesceWasOverrun = false

  var transits: [UInt64: PageOperation] = [:]
  var journeys: [BufferUse]
  var freeBuffers: [Int]
  var candidates = PageFIFO()
  /// Pages somebody waits for, which wait for room.
  var waiting = PageFIFO()
  /// Pages whose bringing in failed and is tried again, and those that are not tried until somebody resumes the guest.
  var retries: [UInt64] = []
  var stuck: [UInt64] = []
  /// Where the hand looks next.
  var hand: UInt64 = 0
  /// Pages under way from the store; to it from guest memory; to it from the cache.
  var arriving = 0
  var leaving = 0
  var draining = 0
  /// Pages that may be there while there are more than there should be, as after a disk was full; 0 while there are not.
  /// Each that comes takes it down by one, so that one comes for two that leave: nobody waits until all have left.
  var ceiling: UInt64 = 0
  /// Until when nothing is evicted, since there was no place to put it.
  var restsUntil: UInt64 = 0
  var lastSlot: UInt32?

  public enum Mode: Sendable, Hashable {
    case running
    /// Nothing is evicted as long as the bound holds; faults are served.
    case quiesced
    /// Nothing new begins; what is under way comes to its end.
    case freezing
    /// Nothing is under way, and no page's state changes.
    case frozen
  }

  /// What is under way with a page.
  enum PageOperation: Sendable, Hashable {
    /// Unmapped; evicted unless it is touched. It may have come unasked.
    case candidate(isAhead: Bool)
    /// On its way to the store; resident.
    case leaving(buffer: Int)
    /// On its way from the cache to the store; compressed.
    case draining(buffer: Int)
    /// On its way from the store; swapped. Somebody waits for it, or nobody.
    case arriving(buffer: Int, isWanted: Bool, tries: Int)
    case waiting
    case retrying(tries: Int, due: UInt64)
    /// The guest is paused for it.
    case stuck
  }

  /// What a buffer is used for.
  enum BufferUse: Sendable, Hashable {
    case none
    case eviction(UInt64, UInt32)
    case drain(UInt64, position: UInt64, UInt32)
    /// A write whose page was taken back. The slot is in use until it ends.
    case abandoned(UInt32)
    case read(UInt64, UInt32)
    /// A read whose page was given up. The slot is in use until it ends.
    case abandonedRead(UInt32)
  }

  public init(_ settings: PagerSettings) {
    self.settings = settings
    journeys = Array(repeating: .none, count: settings.buffers)
    freeBuffers = Array((0..<settings.buffers).reversed())
  }

  /// Whether no operation of the store is under way.
  public var isIdle: Bool { freeBuffers.count == journeys.count }
  /// Whether nothing is on its way to the store.
  public var isQuiet: Bool {
    journeys.allSatisfy {
      switch $0 {
      case .none, .read, .abandonedRead: true
      case .eviction, .drain, .abandoned: false
      }
    }
  }
  /// Whether somebody waits for the page.
  public func isAwaited(_ page: UInt64) -> Bool {
    switch transits[page] {
    case .arriving(_, let isWanted, _): isWanted
    case .waiting, .retrying, .stuck: true
    case .candidate, .leaving, .draining, nil: false
    }
  }
  /// When `tick` is due; nil where nothing waits for a moment.
  public var deadline: UInt64? {
    var first: UInt64? = mode == .running && restsUntil > 0 ? restsUntil : nil
    for page in retries {
      if case .retrying(_, let due) = transits[page] { first = min(first ?? due, due) }
    }
    return first
  }
}

// MARK: events

extension Pager {
  /// Somebody touched `page` and stands still until it is mapped.
  public mutating func fault(_ page: UInt64, now: UInt64, _ world: inout some PagerWorld) {
    switch transits[page] {
    case .candidate(let isAhead):
      candidates.remove(page)
      transits[page] = nil
      world.count(isAhead ? .readAheadHits : .spared)
      world.count(.minorFaults)
      world.map(page)
    case .leaving(let buffer):
      // It still is where it was. The write goes on, to a slot that is nobody's afterwards.
      abandon(buffer)
      transits[page] = nil
      world.count(.spared)
      world.count(.minorFaults)
      world.map(page)
    case .draining(let buffer):
      abandon(buffer)
      transits[page] = nil
      world.count(.missingFaults)
      bringIn(page, tries: 0, now: now, &world)
    case .arriving(let buffer, isWanted: false, let tries):
      transits[page] = .arriving(buffer: buffer, isWanted: true, tries: tries)
      world.count(.readAheadHits)
      world.count(.missingFaults)
    case .arriving(_, isWanted: true, _), .waiting, .retrying, .stuck:
      // A second one waits for the same.
      break
    case nil:
      world.count(world.state(of: page) == .resident ? .minorFaults : .missingFaults)
      bringIn(page, tries: 0, now: now, &world)
    }
    settle(now: now, &world)
  }

  /// The operation of the store that has `buffer` has ended.
  public mutating func completed(
    _ buffer: Int, _ error: PageStoreError?, now: UInt64, _ world: inout some PagerWorld
  ) {
    let journey = journeys[buffer]
    switch journey {
    case .none: return
    case .read, .abandonedRead: break
    case .eviction, .drain, .abandoned: if let error { storeFailed(error, now: now, &world) }
    }
    switch journey {
    case .none: break
    case .eviction(let page, let slot):
      leaving -= 1
      transits[page] = nil
      if error == nil, punched(page, &world) {
        world.set(page, .swapped(slot))
        world.count(.writes)
      } else {
        giveBack(slot, after: error, &world)
      }
    case .drain(let page, let position, let slot):
      draining -= 1
      transits[page] = nil
      if error == nil {
        world.set(page, .swapped(slot))
        world.freeEntry(position, of: page)
        world.count(.drains)
      } else {
        giveBack(slot, after: error, &world)
        world.drainEntriesAgain()
      }
    case .abandoned(let slot): giveBack(slot, after: error, &world)
    case .abandonedRead(let slot): free(slot, &world)
    case .read(let page, let slot): arrived(page, slot, buffer, error, now: now, &world)
    }
    release(buffer)
    settle(now: now, &world)
  }

  /// Time has passed.
  public mutating func tick(now: UInt64, _ world: inout some PagerWorld) {
    if restsUntil <= now { rested() }
    for page in retries {
      guard case .retrying(let tries, let due) = transits[page], due <= now else { continue }
      retries.removeAll { $0 == page }
      transits[page] = nil
      bringIn(page, tries: tries, now: now, &world)
    }
    settle(now: now, &world)
  }

  /// Somebody resumed a guest that was paused for a page: it is tried again.
  public mutating func resumed(now: UInt64, _ world: inout some PagerWorld) {
    let pages = stuck
    stuck = []
    for page in pages {
      transits[page] = nil
      bringIn(page, tries: 0, now: now, &world)
    }
    settle(now: now, &world)
  }

  /// Asks for another mode. `.freezing` becomes `.frozen` once nothing is under way; `.running` takes everything back.
  public mutating func change(to mode: Mode, now: UInt64, _ world: inout some PagerWorld) {
    switch (self.mode, mode) {
    case (_, .running), (.freezing, .quiesced), (.frozen, .quiesced):
      self.mode = mode
      quiesceWasOverrun = false
    case (.running, .quiesced): self.mode = .quiesced
    case (.running, .freezing), (.running, .frozen), (.quiesced, .freezing), (.quiesced, .frozen):
      self.mode = .freezing
    case (.quiesced, .quiesced), (.freezing, .freezing), (.freezing, .frozen), (.frozen, .freezing),
      (.frozen, .frozen):
      break
    }
    settle(now: now, &world)
  }
}
