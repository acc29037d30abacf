internal import FSRSystem

/// How fast this machine itself is at this moment, so that figures of two machines can be compared.
///
/// A chain of simple operations of which each needs the one before (shift, exclusive or), on one thread. A
/// processor that does one per cycle, as they do, does as many as its clock has cycles.
enum HostSpeed {
  /// Steps of a turn, milliseconds on any machine, and turns of a measurement, of which the best counts.
  private static let steps = 1_000_000
  private static let turns = 8
  /// Dependent operations of a step.
  private static let operations = 6

  /// Million operations per second.
  static func measure() -> Double {
    var word = UInt64(MonotonicClock.now() | 1)
    var best = UInt64.max
    for _ in 0..<turns {
      let start = MonotonicClock.now()
      word = chain(word)
      best = min(best, MonotonicClock.now() - start)
    }
    // Used, so that the compiler leaves the chain where it is; it is 0 only if it began so.
    precondition(word != 0, "a xorshift never comes to 0")
    return Double(steps * operations) * 1000 / Double(max(1, best))
  }

  @inline(never)
  private static func chain(_ start: UInt64) -> UInt64 {
    var word = start
    for _ in 0..<steps {
      word ^= word &<< 13
      word ^= word &>> 7
      word ^= word &<< 17
    }
    return word
  }
}
