internal import CLZ4

/// LZ4 between mappings (lz4.org). Bytes to be expanded may be anybody's, and may change meanwhile.
@safe public struct Compressor: ~Copyable, @unchecked Sendable {
  // SAFETY: Sendable, because `scratch` is used by mutating calls alone.
  private let scratch: UnsafeMutablePointer<CChar>

  /// The longest input of `expand`, in bytes.
  public static let inputLimit = 4096

  public init() {
    // SAFETY: freed by deinit alone.
    unsafe scratch = .allocate(capacity: Self.inputLimit)
  }

  deinit {
    // SAFETY: allocated by init, and nobody else has it.
    unsafe scratch.deallocate()
  }

  /// Compresses `count` bytes of `source`, which nobody changes meanwhile; answers how many bytes it took, or nil where
  /// `room` is too small for them. What lies in the room then is undefined.
  public mutating func compress(
    _ source: borrowing MappedRegion, at offset: UInt64, count: Int, to target: borrowing MappedRegion,
    at place: UInt64, room: Int
  ) -> Int? {
    precondition(count > 0 && room > 0 && count <= Int(Int32.max) && room <= Int(Int32.max))
    precondition(source.contains(offset, count: UInt64(count)), "outside the source")
    precondition(target.contains(place, count: UInt64(room)), "outside the target")
    // SAFETY: both ranges were checked, and LZ4 writes at most `room` bytes.
    let length = unsafe LZ4_compress_default(
      (source.base + Int(offset)).assumingMemoryBound(to: CChar.self),
      (target.base + Int(place)).assumingMemoryBound(to: CChar.self), Int32(count), Int32(room))
    return length > 0 ? Int(length) : nil
  }

  /// Expands `length` bytes of `source` to exactly `count`; false where they are not that. The input is copied before it
  /// is looked at, because it may lie in memory that another process writes.
  public mutating func expand(
    _ source: borrowing MappedRegion, at offset: UInt64, length: Int, to target: borrowing MappedRegion,
    at place: UInt64, count: Int
  ) -> Bool {
    guard length > 0, length <= Self.inputLimit else { return false }
    precondition(count > 0 && count <= Int(Int32.max))
    precondition(source.contains(offset, count: UInt64(length)), "outside the source")
    precondition(target.contains(place, count: UInt64(count)), "outside the target")
    // SAFETY: both ranges were checked, the scratch is longer than `length`, and LZ4 writes at most `count` bytes and
    // reads none beyond `length`, whatever they are.
    unsafe scratch.update(
      from: (source.base + Int(offset)).assumingMemoryBound(to: CChar.self), count: length)
    let got = unsafe LZ4_decompress_safe(
      scratch, (target.base + Int(place)).assumingMemoryBound(to: CChar.self), Int32(length), Int32(count))
    return Int(got) == count
  }
}
