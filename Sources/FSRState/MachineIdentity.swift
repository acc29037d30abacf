/// 128 random bits that a VM keeps for life, whatever process runs it.
public struct MachineIdentity: Hashable, Sendable, CustomStringConvertible {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A new one; chance is a parameter.
  public static func random(using generator: inout some RandomNumberGenerator) -> MachineIdentity {
    MachineIdentity(high: generator.next(), low: generator.next())
  }

  /// Reads what `description` has written; nil of anything else.
  public init?(hexadecimal text: some StringProtocol) {
    guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
      let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
    guard description == text else { return nil }
  }

  /// 32 hexadecimal digits.
  public var description: String {
    [high, low].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
