/// A length of time as people type it: `10us`, `50ms`, `30s`, `2m`.
public struct TimeSpan: Hashable, Sendable, CustomStringConvertible {
  public let nanoseconds: UInt64

  /// A day: nothing that is waited for here takes longer.
  public static let limit: UInt64 = 86_400_000_000_000

  // The longer suffix first, because each ends in a shorter one.
  private static let units: [(suffix: String, nanoseconds: UInt64)] = [
    ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
  ]

  /// Traps outside 1 ... `limit`; what a user typed goes through `init(parsing:)`.
  public init(nanoseconds: UInt64) {
    precondition(nanoseconds > 0 && nanoseconds <= TimeSpan.limit, "a time is above 0 and at most a day")
    self.nanoseconds = nanoseconds
  }

  public init(parsing text: String) throws(ValueError) {
    guard let unit = TimeSpan.units.first(where: { text.hasSuffix($0.suffix) }) else {
      throw TimeSpan.malformed
    }
    let digits = text.dropLast(unit.suffix.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      throw TimeSpan.malformed
    }
    guard let number = UInt64(digits) else { throw TimeSpan.tooLong }
    let (nanoseconds, overflow) = number.multipliedReportingOverflow(by: unit.nanoseconds)
    guard !overflow, nanoseconds <= TimeSpan.limit else { throw TimeSpan.tooLong }
    guard nanoseconds > 0 else { throw ValueError("a time is above 0") }
    self.nanoseconds = nanoseconds
  }

  private static let malformed = ValueError("a time is a number with us, ms, s or m behind it, such as 50ms")
  private static let tooLong = ValueError("a time is at most a day")

  /// In the largest unit that divides it, as `init(parsing:)` reads it.
  public var description: String {
    let unit = TimeSpan.units.last { nanoseconds % $0.nanoseconds == 0 }
    return unit.map { "\(nanoseconds / $0.nanoseconds)\($0.suffix)" } ?? "\(nanoseconds)ns"
  }
}
