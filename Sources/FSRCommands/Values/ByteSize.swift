package import FSRSystem

/// An amount of memory as people type it: `512M`, `4G`, `1T`; a bare number is bytes.
package struct ByteSize: Hashable, Sendable, CustomStringConvertible {
  /// At least 1, and below 2^63.
  package let bytes: UInt64
  /// Whether it was typed without a unit.
  private let isBare: Bool

  static let kibi: UInt64 = 1 << 10
  static let mebi: UInt64 = 1 << 20
  static let gibi: UInt64 = 1 << 30
  static let tebi: UInt64 = 1 << 40

  private static let units: [(letter: Character, bytes: UInt64)] = [
    ("T", tebi), ("G", gibi), ("M", mebi), ("K", kibi),
  ]

  /// Traps outside 1 ..< 2^63; what a user typed goes through `init(parsing:)`.
  package init(_ bytes: UInt64) {
    precondition(bytes > 0 && bytes <= UInt64(Int64.max), "a size is above 0 and below 2^63")
    self.bytes = bytes
    isBare = false
  }

  package init(parsing text: String) throws(ValueError) {
    let last = text.last.map { Character($0.uppercased()) }
    let unit = ByteSize.units.first { $0.letter == last }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      throw ValueError("a size is a number with K, M, G or T behind it, such as 512M; bare it is bytes")
    }
    guard let number = UInt64(digits) else { throw ByteSize.tooLarge }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit?.bytes ?? 1)
    guard !overflow, bytes <= UInt64(Int64.max) else { throw ByteSize.tooLarge }
    guard bytes > 0 else { throw ValueError("a size is above 0") }
    self.bytes = bytes
    isBare = unit == nil
  }

  /// For a sentence about a size that cannot be: how a bare number was read, with a comma before it; else nothing.
  var reading: String { isBare ? ", and \(bytes) without a unit is \(bytes) bytes, not \(bytes)M" : "" }

  package static func == (one: ByteSize, other: ByteSize) -> Bool { one.bytes == other.bytes }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

  private static let tooLarge = ValueError("a size is below 2^63 bytes")

  /// In the largest unit that divides it, as `init(parsing:)` reads it.
  package var description: String {
    for unit in ByteSize.units where bytes % unit.bytes == 0 { return "\(bytes / unit.bytes)\(unit.letter)" }
    return "\(bytes)"
  }
}

extension ByteSize {
  /// The same of pages of 4K.
  static func readable(pages: UInt64) -> String {
    let (bytes, overflow) = pages.multipliedReportingOverflow(by: StatusAnswer.pageSize)
    return readable(overflow ? .max : bytes)
  }

  /// Any number of bytes, for people: `0`, `512M`, `1.5G`.
  static func readable(_ bytes: UInt64) -> String {
    guard let unit = units.first(where: { bytes >= $0.bytes }) else { return "\(bytes)" }
    let tenths = bytes / unit.bytes * 10 + bytes % unit.bytes * 10 / unit.bytes
    return tenths % 10 == 0 ? "\(tenths / 10)\(unit.letter)" : "\(tenths / 10).\(tenths % 10)\(unit.letter)"
  }
}
