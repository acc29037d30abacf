/// 128 bits over a file's bytes, 16 at a time, the length last.
///
/// Each step maps the state one to one for a given block, and blocks one to one for a given state: files of one
/// length that differ in a single block never have the same digest.
struct FileDigest {
  // Odd constants with about half of their bits set: the fractional parts of the square roots of 2, 3, 5 and 7.
  private static let one: UInt64 = 0x6a09_e667_f3bc_c909
  private static let two: UInt64 = 0xbb67_ae85_84ca_a73b
  private static let three: UInt64 = 0x3c6e_f372_fe94_f82b
  private static let four: UInt64 = 0xa54f_f53a_5f1d_36f1

  private var a = one
  private var b = two
  private var length: UInt64 = 0

  /// Adds `bytes`. Only the last call may pass a count that is no multiple of 16.
  mutating func add(_ bytes: [UInt8]) {
    precondition(length % 16 == 0, "only the last part is not a multiple of 16 bytes")
    length &+= UInt64(bytes.count)
    let span = bytes.span
    let whole = bytes.count & ~15
    var index = 0
    while index < whole {
      mix(FileDigest.word(span, index, 8), FileDigest.word(span, index + 8, 8))
      index += 16
    }
    let rest = bytes.count - whole
    if rest > 0 {
      mix(FileDigest.word(span, index, min(8, rest)), FileDigest.word(span, index + 8, rest - 8))
    }
  }

  /// The digest, 16 bytes.
  mutating func finish() -> [UInt8] {
    mix(length, FileDigest.four)
    for _ in 0..<3 { mix(FileDigest.three, FileDigest.two) }
    return [a, b].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } }
  }

  private mutating func mix(_ x: UInt64, _ y: UInt64) {
    a = FileDigest.scatter(a ^ x, FileDigest.one)
    b = FileDigest.scatter(b ^ y, FileDigest.two)
    a &+= b
    b ^= a << 27 | a >> 37
  }

  /// One to one, as the factor is odd: the product moves bits up, the shift brings the high ones down.
  private static func scatter(_ value: UInt64, _ factor: UInt64) -> UInt64 {
    let product = value &* factor
    return product ^ product >> 32
  }

  /// Up to 8 bytes from `index`, little-endian; 0 for a count that is not positive.
  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, _ index: Int, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    var taken = 0
    while taken < count {
      word |= UInt64(bytes[index + taken]) << UInt64(8 * taken)
      taken += 1
    }
    return word
  }
}
