/// A 64-bit digest against accidents: torn, truncated or mixed-up bytes. It is no defence against malice.
public enum Checksum {
  /// Multiplies and folds eight bytes at a time, with the length mixed in.
  public static func of(_ bytes: [UInt8]) -> UInt64 {
    var sum: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
    var index = 0
    while index + 8 <= bytes.count {
      var word: UInt64 = 0
      for byte in 0..<8 { word |= UInt64(bytes[index + byte]) << UInt64(byte * 8) }
      sum = mix(sum ^ word)
      index += 8
    }
    while index < bytes.count {
      sum = mix(sum ^ UInt64(bytes[index]))
      index += 1
    }
    return mix(sum)
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return product.low ^ product.high &+ 0x2545_f491_4f6c_dd1d
  }
}
