/// An Ethernet address of one station: neither all zeros nor a group's.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
  /// Bytes in an address.
  package static let size = 6

  /// Six of them, in the order in which they stand in a frame.
  public let bytes: [UInt8]

  /// Nil where `bytes` are not six, are all zeros, or are a group's address.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.size, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else { return nil }
    self.bytes = bytes
  }

  /// Six pairs of hexadecimal digits with colons between them; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for part in parts {
      guard part.utf8.count == 2, let byte = UInt8(part, radix: 16), part.utf8.first != UInt8(ascii: "+")
      else {
        return nil
      }
      bytes.append(byte)
    }
    self.init(bytes)
  }

  /// One that no manufacturer gives; chance is a parameter.
  public static func random(using generator: inout some RandomNumberGenerator) -> MACAddress {
    let word: UInt64 = generator.next()
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
    // Locally administered, and a station's.
    guard let address = MACAddress([bytes[0] & 0xfc | 2] + bytes.dropFirst()) else {
      preconditionFailure("an address with bit 1 set is not all zeros")
    }
    return address
  }

  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
