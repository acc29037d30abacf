/// Keeps copying to a number of bytes a second: says how long to wait after each part.
public struct CopyPace: Hashable, Sendable {
  /// The longest a part may take, in parts of a second: who waits for the part's end waits no longer than that.
  private static let partsPerSecond: UInt64 = 20
  /// The slowest: a page each part.
  public static let slowest: UInt64 = 64 << 10

  /// Nil as fast as can be.
  public let bytesPerSecond: UInt64?
  /// When the next part may begin, in nanoseconds on the monotonic clock.
  private var next: UInt64 = 0

  /// - Parameter bytesPerSecond: at least `slowest`.
  public init(bytesPerSecond: UInt64?) { self.bytesPerSecond = bytesPerSecond.map { max($0, Self.slowest) } }

  /// Bytes that one part may have, at most `limit`.
  public func part(upTo limit: UInt64) -> UInt64 {
    bytesPerSecond.map { min(limit, max(4096, $0 / Self.partsPerSecond)) } ?? limit
  }

  /// Counts a part that was copied.
  public mutating func copied(_ bytes: UInt64, at now: UInt64) {
    guard let bytesPerSecond else { return }
    let time = bytes.multipliedFullWidth(by: 1_000_000_000)
    let cost = time.high >= bytesPerSecond ? .max : bytesPerSecond.dividingFullWidth(time).quotient
    // The time that the part itself took counts; time in which nobody copied does not.
    let (end, isBeyond) = max(next, now - min(now, cost)).addingReportingOverflow(cost)
    next = isBeyond ? .max : end
  }

  /// Nanoseconds to wait before the next part.
  public func pause(at now: UInt64) -> UInt64 { next > now ? next - now : 0 }
}
