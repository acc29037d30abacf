internal import FSRMachine
internal import FSRSystem

/// The largest gap in time that the soak guest saw around a handoff.
enum GuestGap {
  /// How long the guest is given to look at its clock again, in nanoseconds.
  private static let timeout: UInt64 = 200_000_000
  private static let pollInterval: UInt64 = 1_000_000

  /// Microseconds, rounded up; nil for another guest, or one that did not look at its clock in time.
  static func measure(in machine: Machine, window: UInt64?) -> UInt64? {
    guard let window else { return nil }
    let deadline = MonotonicClock.now() + timeout
    while true {
      guard let statistics = SoakStatistics(of: machine) else { return nil }
      let seen = statistics.harts.filter { $0.window == window }
      if seen.count == statistics.harts.count || MonotonicClock.now() >= deadline {
        return seen.map(\.windowGapTicks).max().map { ($0 + 9) / 10 }
      }
      MonotonicClock.sleep(pollInterval)
    }
  }
}
