internal import FSRSystem

/// Whether what a page table names exists.
public protocol PagePlaces {
  /// Whether the page store has the slot, and it is in use.
  func holds(slot: UInt32) -> Bool
  /// Whether the compression cache has an entry of `page` at the position.
  func holds(position: UInt64, of page: UInt64) -> Bool
}

/// A second look at a peer's page table, by who is to take it over: it checks each directory that has changed since it
/// last looked, and adds up counts of its own. Done while the peer still changes the table, it leaves for the stun what
/// changed since.
public struct PageTableSurvey: ~Copyable, Sendable {
  private let table: PageTable
  /// What this side has counted in each directory, 8 bytes each; sparse.
  private let counted: MappedRegion
  /// The sum of them.
  public private(set) var counts = PageCounts()

  public init(of table: PageTable) throws {
    self.table = table
    counted = try MappedRegion(anonymous: table.directoryCount * 8)
    // What changed before this side knew of the table is among what is used.
    var directory: UInt64 = 0
    while let next = table.layout.used.next(from: directory, in: table.region), next < table.directoryCount {
      table.layout.changed.set(next, in: table.region)
      directory = next + 1
    }
  }

  /// Looks at the directories that have changed. One that is just being changed is left for the next time.
  ///
  /// - Parameter isToEnd: asked before each directory; what is not looked at is left for the next time too.
  /// - Returns: how many were looked at, and how many were left.
  /// - Throws: `PagingError` where a directory is broken, or names what is not in `places`. A slot or an entry may be
  ///   missing for a moment while the peer changes them: `places` then is nil, and asked in the last look only.
  @discardableResult
  public mutating func look(at places: (some PagePlaces)?, isToEnd: () -> Bool = { false })
    throws(PagingError) -> (seen: UInt64, left: UInt64)
  {
    var found: [UInt64] = []
    table.layout.changed.take(in: table.region) { found.append($0) }
    var seen: UInt64 = 0
    var left: UInt64 = 0
    for number in found {
      guard number < table.directoryCount else { throw .badDirectory(number) }
      guard !isToEnd(), let counts = try table.tally(number, at: places) else {
        table.layout.changed.set(number, in: table.region)
        left += 1
        continue
      }
      recount(number, counts)
      seen += 1
    }
    return (seen, left)
  }

  /// Checks every directory's places, not only those that changed: for the last look of a table that is frozen.
  public func checkAll(at places: some PagePlaces) throws(PagingError) {
    var number: UInt64 = 0
    while let next = table.layout.used.next(from: number, in: table.region), next < table.directoryCount {
      guard let directory = try table.directory(next) else { throw .badDirectory(next) }
      try Self.check(directory, next, places)
      number = next + 1
    }
  }

  /// Whether the table's own totals are what this side counted: once it is frozen and nothing was left.
  public func agree() throws(PagingError) {
    guard table.counts == counts else { throw .badCounts }
  }

  private static func check(_ directory: PageDirectory, _ number: UInt64, _ places: some PagePlaces)
    throws(PagingError)
  {
    for (index, state) in directory.pages.enumerated() {
      let page = number * PageTable.directoryPages + UInt64(index)
      guard places.holds(state, of: page) else { throw .badDirectory(number) }
    }
  }

  private mutating func recount(_ number: UInt64, _ now: PageCounts) {
    let before = DirectoryCounts(word: counted.load(number * 8)).pages
    counts.resident = counts.resident - before.resident + now.resident
    counts.compressed = counts.compressed - before.compressed + now.compressed
    counts.swapped = counts.swapped - before.swapped + now.swapped
    counted.store(now.resident | now.compressed << 16 | now.swapped << 32, at: number * 8)
  }
}
