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
    // The zeros of a last part are told from a file's own by the length.
    let rest = bytes.count % 16
    let blocks = rest == 0 ? bytes : bytes + [UInt8](repeating: 0, count: 16 - rest)
    // SAFETY: every load lies in a multiple of 16 bytes, and an integer has no invalid bit pattern.
    unsafe blocks.withUnsafeBytes { blocks in
      for index in stride(from: 0, to: blocks.count, by: 16) {
        let x = unsafe blocks.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let y = unsafe blocks.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
        mix(UInt64(littleEndian: x), UInt64(littleEndian: y))
      }
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
}
