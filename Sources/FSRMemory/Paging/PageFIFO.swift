/// Pages in the order in which they came.
struct PageFIFO: Sendable, Hashable {
  private var pages: [UInt64] = []
  private var start = 0

  var count: Int { pages.count - start }
  var isEmpty: Bool { count == 0 }

  mutating func append(_ page: UInt64) { pages.append(page) }

  mutating func popFirst() -> UInt64? {
    guard start < pages.count else { return nil }
    defer { start += 1 }
    // Compacted now and then, so that each page costs the same on the whole.
    if start >= 1024 || start == pages.count - 1 {
      let page = pages[start]
      pages.removeFirst(start)
      start = 0
      return page
    }
    return pages[start]
  }

  /// Takes `page` out, wherever it is: a look at each, of some thousands at most.
  mutating func remove(_ page: UInt64) {
    if let index = pages[start...].firstIndex(of: page) { pages.remove(at: index) }
  }

  // What was taken out is no part of what it is.
  static func == (a: PageFIFO, b: PageFIFO) -> Bool { a.pages[a.start...] == b.pages[b.start...] }
  func hash(into hasher: inout Hasher) { hasher.combine(pages[start...]) }
}
