/// All that a `Pager` sees and does: the page table, slots, the cache, guest memory. Each call is done when it returns, but
/// `read` and `write`, which end with an event.
///
/// A buffer is a page of memory for one page's journey, by number.
public protocol PagerWorld {
  // MARK: books

  /// Where `page` is; what says nothing counts as absent.
  func state(of page: UInt64) -> PageState
  /// Says where `page` is now.
  mutating func set(_ page: UInt64, _ state: PageState)
  /// Pages that are resident.
  var residentPages: UInt64 { get }
  var pageCount: UInt64 { get }
  /// The first resident page at or behind `page`.
  func nextResident(from page: UInt64) -> UInt64?
  /// A free slot; nil where there is none.
  mutating func allocateSlot(near hint: UInt32?) -> UInt32?
  mutating func freeSlot(_ slot: UInt32)
  /// Gives a page's entry in the cache back.
  mutating func freeEntry(_ position: UInt64, of page: UInt64)
  /// Whether the cache is so full that its oldest entries are to go.
  var cacheIsNearlyFull: Bool { get }
  /// The oldest entry that was not answered with yet.
  mutating func nextEntryToDrain() -> (page: UInt64, position: UInt64)?
  /// Answers with all that are left again.
  mutating func drainEntriesAgain()

  // MARK: hands

  /// Maps a resident page and wakes who waits for it.
  mutating func map(_ page: UInt64)
  /// Puts zeros in a hole, maps it, and wakes who waits. False where the host has no memory.
  mutating func fillZero(_ page: UInt64) -> Bool
  /// Puts a buffer's content in a hole, and, where `isMapped`, maps it and wakes who waits. False where the host has no
  /// memory; the page is a hole then.
  mutating func place(_ page: UInt64, from buffer: Int, isMapped: Bool) -> Bool
  /// The same from the cache.
  mutating func expand(_ page: UInt64, _ position: UInt64) -> Expansion
  /// Expands an entry of the cache into a buffer; false where it is broken.
  mutating func unpack(_ page: UInt64, _ position: UInt64, into buffer: Int) -> Bool
  /// Takes resident pages out of the guest's mapping; from here on a touch is a fault. False where that failed.
  mutating func unmap(_ first: UInt64, count: UInt64) -> Bool
  /// Reads an unmapped page into a buffer, and keeps it in the cache if that is worth while.
  mutating func pack(_ page: UInt64, into buffer: Int) -> Packing
  /// Makes an unmapped page a hole. False where that failed; the page is as it was.
  mutating func punch(_ page: UInt64) -> Bool
  /// Begins to read a slot into a buffer.
  mutating func read(_ slot: UInt32, into buffer: Int)
  /// Begins to write a buffer to a slot.
  mutating func write(_ slot: UInt32, from buffer: Int)
  /// The guest cannot go on without a page: it is to be paused, and a person told why.
  mutating func pauseGuest(_ failure: PagerFailure)
  /// Counts for status.
  mutating func count(_ event: PagerCount)
}

/// What became of a page that was to come out of the cache.
public enum Expansion: Sendable, Hashable {
  case placed
  /// The host has no memory.
  case noMemory
  /// The cache's entry is broken.
  case broken
}

/// What became of a page that was to be packed.
public enum Packing: Sendable, Hashable {
  /// It is all zeros.
  case zero
  /// It is in the cache.
  case kept(UInt64)
  /// It is in the buffer, and is to be written.
  case raw
  /// It could not be read.
  case failed
}

/// Why the guest was paused.
public struct PagerFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The page's number in the pageable range.
  public let page: UInt64
  public let reason: Reason

  public enum Reason: Sendable, Hashable {
    case unreadable
    case noMemory
    case brokenEntry
    /// Somebody else took the page out of guest memory.
    case vanished
  }

  public var description: String {
    switch reason {
    case .unreadable: "page \(page) cannot be read from the swap file"
    case .noMemory: "the host has no memory for page \(page)"
    case .vanished: "page \(page) has gone from guest memory"
    case .brokenEntry: "the compression cache has no good copy of page \(page)"
    }
  }
}

/// What a pager counts.
public enum PagerCount: Int, Sendable, Hashable, CaseIterable {
  /// Faults on pages that were in guest memory, and only not mapped.
  case minorFaults
  /// Faults on pages that had to be brought in.
  case missingFaults
  /// Pages that left guest memory for the cache, and for the store; zeros that were given up.
  case compressions
  case writes
  case zeros
  /// Pages that went from the cache to the store.
  case drains
  /// Pages that were touched again before they had left.
  case spared
  /// Pages that came from the store.
  case reads
  /// Pages that came unasked with a neighbour, and those of them that were touched.
  case readAhead
  case readAheadHits
  /// Faults that waited because guest memory was over its limit.
  case throttled
  /// Operations of the store, and of the host's memory, that failed.
  case failures
}
