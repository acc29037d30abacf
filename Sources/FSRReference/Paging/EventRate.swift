internal import Synchronization

/// How many of something that is counted come in a second, between looks that are at least a moment apart.
package final class EventRate: Sendable {
  /// Nanoseconds between two looks that say something.
  package static let least: UInt64 = 100_000_000

  private struct Look {
    var count: UInt64 = 0
    var time: UInt64
    var rate: UInt64 = 0
  }

  private let last: Mutex<Look>

  /// The count is 0 at `now`, nanoseconds of the monotonic clock.
  package init(since now: UInt64) { last = Mutex(Look(time: now)) }

  /// The rate since the last look, or the one found then where that was just now.
  package func measure(_ count: UInt64, at now: UInt64) -> UInt64 {
    last.withLock { last in
      // Two who look at once may come in another order than their clocks.
      guard now >= last.time, now - last.time >= Self.least, count >= last.count else { return last.rate }
      let rate = Double(count - last.count) * 1e9 / Double(now - last.time)
      last = Look(count: count, time: now, rate: UInt64(rate))
      return last.rate
    }
  }
}
