internal import FSRSystem

/// How many pages of a directory are where, as its record holds it: 16 bits each.
struct DirectoryCounts: Equatable, Sendable {
  var word: UInt64

  private static func shift(_ state: PageState) -> UInt64? {
    switch state {
    case .absent: nil
    case .resident: 0
    case .compressed: 16
    case .swapped: 32
    }
  }

  mutating func change(_ state: PageState, by one: Int64) {
    guard let shift = Self.shift(state) else { return }
    let old = UInt16(truncatingIfNeeded: word >> shift)
    let new = old &+ UInt16(truncatingIfNeeded: one)
    word = word & ~(0xffff << shift) | UInt64(new) << shift
  }

  /// Of one directory.
  init(_ pages: PageCounts) { word = pages.resident | pages.compressed << 16 | pages.swapped << 32 }

  init(word: UInt64) { self.word = word }

  /// Whether any page is in a place of which somebody else must know.
  var namesPlaces: Bool { word >> 16 != 0 }

  var pages: PageCounts {
    var counts = PageCounts()
    counts.resident = word & 0xffff
    counts.compressed = word >> 16 & 0xffff
    counts.swapped = word >> 32 & 0xffff
    return counts
  }
}

/// The pages of 2 MiB of guest memory, as they were at one moment.
public struct PageDirectory: Sendable, Equatable {
  /// By their number in the directory; 512, or fewer at the end of the range.
  public let pages: [PageState]
  /// What the directory's record says of them, which is what they are.
  public let counts: PageCounts
}

extension PageTable {
  /// How often a reader looks at a directory that is just being changed.
  static let directoryTries = 16

  /// A directory as it was at one moment; nil where it was being changed each time this looked.
  ///
  /// - Throws: `PagingError.badDirectory` for words that say nothing, and counts that are not those of its pages.
  public func directory(_ number: UInt64) throws(PagingError) -> PageDirectory? {
    precondition(number < layout.directories, "a directory of the range")
    let first = number * Self.directoryPages
    let end = min(layout.pages, first + Self.directoryPages)
    for _ in 0..<Self.directoryTries {
      let before: UInt32 = region.atomicLoad(layout.counter(number))
      if before & 1 == 1 { continue }
      var words: [UInt64] = []
      words.reserveCapacity(Int(end - first))
      // Acquire, each: the counter is looked at again behind them.
      for page in first..<end { words.append(region.atomicLoad(layout.entry(page))) }
      let counts = DirectoryCounts(word: region.atomicLoad(layout.counts(number)))
      if region.atomicLoad(layout.counter(number), as: UInt32.self) != before { continue }
      var pages: [PageState] = []
      pages.reserveCapacity(words.count)
      var recount = PageCounts()
      for word in words {
        guard let state = PageState(word: word) else { throw .badDirectory(number) }
        pages.append(state)
        recount.change(state, by: 1)
      }
      guard recount == counts.pages else { throw .badDirectory(number) }
      return PageDirectory(pages: pages, counts: recount)
    }
    return nil
  }

  /// How many pages of a directory are where; nil where it was being changed each time this looked. In the stun: it
  /// allocates nothing.
  ///
  /// - Parameter places: asked for what the pages name; nil for no question.
  /// - Throws: `PagingError.badDirectory` as `directory` does, and for what is not in `places`.
  func tally(_ number: UInt64, at places: (some PagePlaces)?) throws(PagingError) -> PageCounts? {
    for _ in 0..<Self.directoryTries {
      let before: UInt32 = region.atomicLoad(layout.counter(number))
      if before & 1 == 1 { continue }
      let sum = sum(of: number)
      // Few pages name a place, where the guest is sparse none: only then are they gone through again.
      var isSound = sum != nil
      if let places, let sum, sum.namesPlaces { isSound = isHeld(number, places) }
      let counts = DirectoryCounts(word: region.atomicLoad(layout.counts(number)))
      if region.atomicLoad(layout.counter(number), as: UInt32.self) != before { continue }
      guard isSound, let sum, sum == counts else { throw .badDirectory(number) }
      return sum.pages
    }
    return nil
  }

  private func pages(of number: UInt64) -> Range<UInt64> {
    let first = number * Self.directoryPages
    return first..<min(layout.pages, first + Self.directoryPages)
  }

  /// Nil for a word that says nothing. It is no generic, which would cost more for each page than the page.
  private func sum(of number: UInt64) -> DirectoryCounts? {
    var counts = PageCounts()
    for page in pages(of: number) {
      // Acquire, each: the counter is looked at again behind them.
      let word: UInt64 = region.atomicLoad(layout.entry(page))
      if word == 0 { continue }
      guard let state = PageState(word: word) else { return nil }
      counts.change(state, by: 1)
    }
    return DirectoryCounts(counts)
  }

  private func isHeld(_ number: UInt64, _ places: some PagePlaces) -> Bool {
    for page in pages(of: number) {
      let word: UInt64 = region.atomicLoad(layout.entry(page))
      if word == 0 || word == PageState.resident.word { continue }
      guard let state = PageState(word: word), places.holds(state, of: page) else { return false }
    }
    return true
  }
}

extension PagePlaces {
  func holds(_ state: PageState, of page: UInt64) -> Bool {
    switch state {
    case .absent, .resident: true
    case .compressed(let position): holds(position: position, of: page)
    case .swapped(let slot): holds(slot: slot)
    }
  }
}
