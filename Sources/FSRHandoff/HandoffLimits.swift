/// How long a party waits for what, in nanoseconds.
public struct HandoffLimits: Equatable, Sendable {
  /// An answer in the set-up.
  public var answer: UInt64 = 10_000_000_000
  /// A released flag, or an end, before the one who gives neither is killed.
  public var fence: UInt64 = 250_000_000
  /// A loser's leaving, before it is killed.
  public var reap: UInt64 = 2_000_000_000
  /// Any change at all after the checkpoint, before a coordinator calls somebody hung.
  public var settle: UInt64 = 3_000_000_000
  /// Between two looks at what cannot be slept on.
  public var pollInterval: UInt64 = 2_000_000
  /// The guest's descriptors held by the coordinator, after the destination is prepared.
  public var copies: UInt64 = 5_000_000_000

  /// What no deadline of a handoff exceeds: a week.
  public static let longest: UInt64 = 7 * 24 * 3600 * 1_000_000_000

  public init() {}

  /// A time in nanoseconds as a person reads it, to the microsecond.
  static func milliseconds(_ time: UInt64) -> String {
    let rest = time / 1000 % 1000
    return rest == 0 ? "\(time / 1_000_000) ms" : "\(Double(time / 1000) / 1000) ms"
  }
}
