internal import CFSRLinux

/// The host's monotonic clock (CLOCK_MONOTONIC), the same in every process of the host.
public enum MonotonicClock {
  /// Nanoseconds since an arbitrary point, the host's boot in practice.
  public static func now() -> UInt64 { cfsr_monotonic_ns() }

  /// Has the calling thread sleep for `duration` nanoseconds, or less where a signal comes.
  public static func sleep(_ duration: UInt64) { _ = try? Poller().wait(timeout: duration) }

  /// The moment `timeout` nanoseconds from now, or the end of time; nil for nil.
  static func deadline(after timeout: UInt64?) -> UInt64? {
    guard let timeout else { return nil }
    let (deadline, overflow) = now().addingReportingOverflow(timeout)
    return overflow ? .max : deadline
  }
}
