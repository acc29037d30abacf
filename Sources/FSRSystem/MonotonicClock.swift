internal import CFSRLinux

/// The host's monotonic clock (CLOCK_MONOTONIC), the same in every process of the host.
public enum MonotonicClock {
  /// Nanoseconds since an arbitrary point, the host's boot in practice.
  public static func now() -> UInt64 { cfsr_monotonic_ns() }
}
