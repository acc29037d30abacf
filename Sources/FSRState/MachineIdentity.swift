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

  /// 32 hexadecimal digits.
  public var description: String {
    [high, low].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
