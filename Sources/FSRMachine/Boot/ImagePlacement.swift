/// What an image puts where in RAM: the same at the start and at every reset, whatever the order of its segments.
///
/// As on QEMU's board: what lies outside RAM is left out, bytes of a segment are there also where another one has only
/// zeros, and two that have bytes for the same place are refused.
struct ImagePlacement {
  /// Bytes of the file, from `file` on, for these offsets in RAM.
  struct Piece: Equatable {
    let range: Range<UInt64>
    let file: Int
  }

  /// In the order of their places; no two of them, and of the zeros, overlap.
  let pieces: [Piece]
  let zeros: [Range<UInt64>]
  /// Where harts start.
  let entry: UInt64

  /// - Throws: `ELFError` where nothing of it lies in RAM, where it lies on the device tree, or on itself.
  init(_ image: ELFImage, memorySize: UInt64) throws(ELFError) {
    let tree = memorySize - BoardMap.deviceTreeSize
    var pieces: [Piece] = []
    var taken: [Range<UInt64>] = []
    for segment in image.segments {
      let all = Self.inRAM(segment.address, segment.memorySize, memorySize)
      if all.isEmpty { continue }
      guard all.upperBound <= tree else { throw .overlapsDeviceTree(address: segment.address) }
      taken.append(all)
      let bytes = Self.inRAM(segment.address, UInt64(segment.file.count), memorySize)
      if bytes.isEmpty { continue }
      let skipped = BoardMap.ram &+ bytes.lowerBound &- segment.address
      pieces.append(Piece(range: bytes, file: segment.file.lowerBound + Int(skipped)))
    }
    if taken.isEmpty, let first = image.segments.first {
      throw .outsideRAM(address: first.address, bytes: first.memorySize)
    }
    pieces.sort { $0.range.lowerBound < $1.range.lowerBound }
    for (one, next) in zip(pieces, pieces.dropFirst()) where one.range.upperBound > next.range.lowerBound {
      throw .overlap(address: BoardMap.ram + next.range.lowerBound)
    }
    self.pieces = pieces
    zeros = Self.subtract(pieces.map(\.range), from: Self.union(taken))
    entry = try Self.entry(of: image, pieces, memorySize)
  }

  /// The part of `count` bytes at a guest-physical address that lies in RAM, as offsets there. The end does not wrap.
  private static func inRAM(_ address: UInt64, _ count: UInt64, _ memorySize: UInt64) -> Range<UInt64> {
    let low = max(address, BoardMap.ram)
    let high = min(address + count, BoardMap.ram + memorySize)
    return low < high ? low - BoardMap.ram..<high - BoardMap.ram : 0..<0
  }

  /// The file's own entry where harts can start there. QEMU starts them at the first byte of RAM whatever the file says,
  /// so an entry that is none, as a linker writes it for a program without `_start`, is no reason to refuse.
  private static func entry(of image: ELFImage, _ pieces: [Piece], _ memorySize: UInt64) throws(ELFError)
    -> UInt64
  {
    if image.entry % 2 == 0, inRAM(image.entry & ~1, 2, memorySize).count == 2 { return image.entry }
    guard pieces.first?.range.lowerBound == 0 else { throw .entryOutsideRAM(image.entry) }
    return BoardMap.ram
  }

  private static func union(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var result: [Range<UInt64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  /// Both in order, and none overlapping.
  private static func subtract(_ holes: [Range<UInt64>], from ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var result: [Range<UInt64>] = []
    for range in ranges {
      var start = range.lowerBound
      for hole in holes where hole.overlaps(range) {
        if start < hole.lowerBound { result.append(start..<hole.lowerBound) }
        start = max(start, hole.upperBound)
      }
      if start < range.upperBound { result.append(start..<range.upperBound) }
    }
    return result
  }

  /// Whether `count` bytes of RAM from `offset` are zero at the guest's start.
  func isZero(_ image: ELFImage, at offset: UInt64, count: UInt64) -> Bool {
    (offset..<offset + count).allSatisfy { place in
      guard let piece = pieces.first(where: { $0.range.contains(place) }) else { return true }
      return image.bytes[piece.file + Int(place - piece.range.lowerBound)] == 0
    }
  }
}
