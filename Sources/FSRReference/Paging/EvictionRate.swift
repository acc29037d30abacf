internal import Synchronization

/// Evictions a second, between looks that are at least a moment apart.
final class EvictionRate: Sendable {
  /// Nanoseconds between two looks that say something.
  private static let least: UInt64 = 100_000_000

  private struct Look {
    var count: UInt64 = 0
    var time: UInt64
    var rate: UInt64 = 0
  }

  private let last: Mutex<Look>

  init(since now: UInt64) { last = Mutex(Look(time: now)) }

  /// The rate since the last look, or the one found then where that was just now.
  func measure(_ count: UInt64, at now: UInt64) -> UInt64 {
    last.withLock { last in
      let elapsed = now &- last.time
      guard elapsed >= Self.least else { return last.rate }
      let rate = UInt64(Double(count &- last.count) * 1e9 / Double(elapsed))
      last = Look(count: count, time: now, rate: rate)
      return rate
    }
  }
}
