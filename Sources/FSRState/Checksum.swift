/// A 64-bit digest against accidents: torn, truncated or mixed-up bytes. It is no defence against malice.
public enum Checksum {
  /// Multiplies and folds eight bytes at a time, with the length mixed in.
  public static func of(_ bytes: [UInt8]) -> UInt64 {
    of(
      count: bytes.count,
      word: { index in
        var word: UInt64 = 0
        for byte in 0..<8 { word |= UInt64(bytes[index + byte]) << UInt64(byte * 8) }
        return word
      }, byte: { bytes[$0] })
  }

  /// Of `count` bytes wherever they lie; each is read once.
  ///
  /// - Parameters:
  ///   - word: the eight bytes from a place, least significant first.
  ///   - byte: the one at a place.
  @inlinable
  public static func of(count: Int, word: (Int) -> UInt64, byte: (Int) -> UInt8) -> UInt64 {
    var sum: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(count)
    var index = 0
    while index + 8 <= count {
      sum = mix(sum ^ word(index))
      index += 8
    }
    while index < count {
      sum = mix(sum ^ UInt64(byte(index)))
      index += 1
    }
    return mix(sum)
  }

  @inlinable @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return product.low ^ product.high &+ 0x2545_f491_4f6c_dd1d
  }
}
