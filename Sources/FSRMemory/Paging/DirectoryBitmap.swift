internal import FSRSystem

/// One bit for each page directory, in shared memory, with a summary above: to find those that are set costs what is
/// set, not what exists.
///
/// One side sets bits while the other takes them. A bit that is set after a directory was changed is taken before the
/// directory is looked at, so that no change is missed; some are seen twice.
struct DirectoryBitmap: Sendable {
  /// Where it begins in the mapping.
  let start: UInt64
  let words: UInt64

  init(start: UInt64, directories: UInt64) {
    self.start = start
    words = (directories + 63) / 64
  }

  var summaryWords: UInt64 { (words + 63) / 64 }
  /// Bytes of it.
  var length: UInt64 { (words + summaryWords) * 8 }

  private func word(_ index: UInt64) -> UInt64 { start + index * 8 }
  private func summary(_ index: UInt64) -> UInt64 { start + (words + index) * 8 }

  /// Sets the bit; ordered behind every store before.
  func set(_ directory: UInt64, in region: borrowing MappedRegion) {
    let index = directory / 64
    // The bit is written even where it is set: it may just be taken, and is to be seen behind the change.
    if Self.exchange(word(index), in: region, { $0 | 1 << (directory % 64) }) == 0 {
      _ = Self.exchange(summary(index / 64), in: region) { $0 | 1 << (index % 64) }
    }
  }

  /// Clears the bit; for the side that sets it, where nobody else takes.
  func clear(_ directory: UInt64, in region: borrowing MappedRegion) {
    let index = directory / 64
    let bit: UInt64 = 1 << (directory % 64)
    if Self.exchange(word(index), in: region, { $0 & ~bit }) & ~bit == 0 {
      _ = Self.exchange(summary(index / 64), in: region) { $0 & ~(1 << (index % 64)) }
    }
  }

  /// Takes all bits that are set, and gives the directories' numbers to `body`. Numbers may lie beyond the last directory
  /// where a peer wrote the bits.
  func take(in region: borrowing MappedRegion, _ body: (UInt64) -> Void) {
    for top in 0..<summaryWords {
      // The summary first: a bit that is set from here on sets it again.
      if region.atomicLoadRelaxed(summary(top), as: UInt64.self) == 0 { continue }
      var groups = Self.exchange(summary(top), in: region) { _ in 0 }
      while groups != 0 {
        let index = top * 64 + UInt64(groups.trailingZeroBitCount)
        groups &= groups - 1
        guard index < words else { break }
        var bits = Self.exchange(word(index), in: region) { _ in 0 }
        while bits != 0 {
          body(index * 64 + UInt64(bits.trailingZeroBitCount))
          bits &= bits - 1
        }
      }
    }
  }

  /// The first bit set at or behind `directory`; nil where there is none.
  func next(from directory: UInt64, in region: borrowing MappedRegion) -> UInt64? {
    var index = directory / 64
    guard index < words else { return nil }
    let first = region.atomicLoadRelaxed(word(index), as: UInt64.self) & (.max << (directory % 64))
    if first != 0 { return index * 64 + UInt64(first.trailingZeroBitCount) }
    index += 1
    while index < words {
      let groups =
        region.atomicLoadRelaxed(summary(index / 64), as: UInt64.self) & (.max << (index % 64))
      if groups == 0 {
        index = (index / 64 + 1) * 64
        continue
      }
      index = index / 64 * 64 + UInt64(groups.trailingZeroBitCount)
      guard index < words else { return nil }
      let bits = region.atomicLoadRelaxed(word(index), as: UInt64.self)
      if bits != 0 { return index * 64 + UInt64(bits.trailingZeroBitCount) }
      index += 1
    }
    return nil
  }

  /// Answers what was there.
  private static func exchange(
    _ offset: UInt64, in region: borrowing MappedRegion, _ change: (UInt64) -> UInt64
  ) -> UInt64 {
    var seen = region.atomicLoadRelaxed(offset, as: UInt64.self)
    while true {
      let answer = region.atomicCompareExchange(offset, expected: seen, desired: change(seen))
      if answer.exchanged { return seen }
      seen = answer.original
    }
  }
}
