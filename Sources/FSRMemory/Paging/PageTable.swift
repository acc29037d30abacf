public import FSRSystem

/// Where each page of a pageable range of guest memory is, in a memfd that a handoff's two sides map.
///
/// One thread changes it: the owner's pager. Others read counts, and, by `directory(_:)`, one directory at a time. Pages are
/// numbered from the start of the range. A peer may have written anything: what is read is checked where it is used.
public final class PageTable: Sendable {
  /// The memfd, for handing over.
  public let descriptor: OwnedDescriptor
  /// The pageable bytes of guest memory.
  public let range: Range<UInt64>
  let region: MappedRegion
  let layout: PageTableLayout

  public static let pageSize: UInt64 = 4096
  /// Pages of a directory.
  public static let directoryPages: UInt64 = 512

  /// Makes a table for `range`, all of it absent.
  ///
  /// - Throws: `PagingError.badRange`, or what the kernel says.
  public init(range: Range<UInt64>) throws {
    let pages = try Self.pages(of: range)
    layout = PageTableLayout(pages: pages)
    descriptor = try Memfd.create(name: "fsr-pages", size: layout.length)
    region = try MappedRegion(mapping: descriptor, length: layout.length)
    self.range = range
    region.atomicStoreRelaxed(PageTableLayout.version, at: PageTableLayout.versionAt)
    region.atomicStoreRelaxed(range.lowerBound, at: PageTableLayout.startAt)
    region.atomicStoreRelaxed(pages, at: PageTableLayout.pagesAt)
    region.atomicStore(PageTableLayout.magic, at: PageTableLayout.magicAt)
  }

  /// Maps a peer's table, which must be for `range`.
  ///
  /// - Throws: `PagingError`, or what the kernel says.
  public init(adopting descriptor: consuming OwnedDescriptor, range: Range<UInt64>) throws {
    let pages = try Self.pages(of: range)
    layout = PageTableLayout(pages: pages)
    guard Memfd.isSizeSealed(descriptor), try descriptor.size() == layout.length else {
      throw PagingError.wrongSize
    }
    region = try MappedRegion(mapping: descriptor, length: layout.length)
    self.descriptor = descriptor
    self.range = range
    guard region.atomicLoad(PageTableLayout.magicAt) == PageTableLayout.magic,
      region.atomicLoadRelaxed(PageTableLayout.versionAt) == PageTableLayout.version
    else { throw PagingError.notPageTable }
    guard region.atomicLoadRelaxed(PageTableLayout.startAt) == range.lowerBound,
      region.atomicLoadRelaxed(PageTableLayout.pagesAt) == pages
    else { throw PagingError.badRange }
  }

  private static func pages(of range: Range<UInt64>) throws(PagingError) -> UInt64 {
    let bytes = range.upperBound - range.lowerBound
    guard range.lowerBound % pageSize == 0, bytes % pageSize == 0, bytes > 0,
      bytes / pageSize <= PageTableLayout.pageLimit
    else { throw .badRange }
    return bytes / pageSize
  }

  /// How many pages the range has.
  public var pageCount: UInt64 { layout.pages }
  public var directoryCount: UInt64 { layout.directories }

  /// How many pages are where. Each count is right at some moment, all three together only while nothing changes.
  public var counts: PageCounts {
    var counts = PageCounts()
    counts.resident = region.atomicLoadRelaxed(PageTableLayout.residentAt)
    counts.compressed = region.atomicLoadRelaxed(PageTableLayout.compressedAt)
    counts.swapped = region.atomicLoadRelaxed(PageTableLayout.swappedAt)
    return counts
  }
}

extension PageTable {
  /// Where `page` is; nil for a word that says nothing, which only a peer can have written.
  public func state(of page: UInt64) -> PageState? {
    precondition(page < layout.pages, "a page of the range")
    return PageState(word: region.atomicLoadRelaxed(layout.entry(page)))
  }

  /// Says where `page` is now; for the owner's pager alone. A word that said nothing counts as absent.
  public func set(_ page: UInt64, _ state: PageState) {
    let old = self.state(of: page) ?? .absent
    if old == state { return }
    let directory = page / Self.directoryPages
    let counterAt = layout.counter(directory)
    let counter = region.atomicLoadRelaxed(counterAt, as: UInt32.self) | 1
    region.atomicStoreRelaxed(counter, at: counterAt)
    // Release, so that who sees the entry sees that the counter is odd.
    region.atomicStore(state.word, at: layout.entry(page))
    let counts = count(directory, old, state)
    region.atomicStore(counter &+ 1, at: counterAt)
    let has = (used: counts.resident + counts.compressed + counts.swapped > 0, resident: counts.resident > 0)
    mark(layout.used, directory, has.used)
    mark(layout.resident, directory, has.resident)
    layout.changed.set(directory, in: region)
  }

  private func mark(_ bitmap: DirectoryBitmap, _ directory: UInt64, _ isSet: Bool) {
    if isSet { bitmap.set(directory, in: region) } else { bitmap.clear(directory, in: region) }
  }

  private func count(_ directory: UInt64, _ old: PageState, _ new: PageState) -> PageCounts {
    for (offset, isOfKind) in Self.kinds {
      let change = (isOfKind(new) ? 1 : 0) - (isOfKind(old) ? 1 : 0)
      if change == 0 { continue }
      let total: UInt64 = region.atomicLoadRelaxed(offset)
      // Wraps where a peer's count was wrong: `PageTableSurvey` finds that before anybody relies on it.
      region.atomicStoreRelaxed(total &+ UInt64(bitPattern: Int64(change)), at: offset)
    }
    var counts = DirectoryCounts(word: region.atomicLoadRelaxed(layout.counts(directory)))
    counts.change(old, by: -1)
    counts.change(new, by: 1)
    region.atomicStore(counts.word, at: layout.counts(directory))
    return counts.pages
  }

  private static let kinds: [(UInt64, @Sendable (PageState) -> Bool)] = [
    (PageTableLayout.residentAt, { $0 == .resident }),
    (PageTableLayout.compressedAt, { if case .compressed = $0 { true } else { false } }),
    (PageTableLayout.swappedAt, { if case .swapped = $0 { true } else { false } }),
  ]

  /// The first resident page at or behind `page`; directories without any are passed over.
  public func nextResident(from page: UInt64) -> UInt64? {
    var page = page
    while page < layout.pages {
      let directory = page / Self.directoryPages
      guard let next = layout.resident.next(from: directory, in: region), next < layout.directories
      else { return nil }
      page = max(page, next * Self.directoryPages)
      let end = min(layout.pages, (next + 1) * Self.directoryPages)
      while page < end {
        if region.atomicLoadRelaxed(layout.entry(page), as: UInt64.self) == PageState.resident.word {
          return page
        }
        page += 1
      }
    }
    return nil
  }
}
