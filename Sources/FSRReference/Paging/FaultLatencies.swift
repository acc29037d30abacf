internal import FSRMemory
internal import Histogram
internal import Synchronization

/// How long the guest waited for pages, since it came to this process.
final class FaultLatencies: Sendable {
  /// Nanoseconds; whatever takes longer counts as this.
  private static let longest: UInt64 = 4_294_967_295

  private struct State {
    var cursor: UInt64 = 0
    var histogram = Histogram<UInt64>(
      lowestDiscernibleValue: 100, highestTrackableValue: longest, numberOfSignificantValueDigits: .two)
  }

  private let state = Mutex(State())

  /// Takes note of what `pager` has measured since the last time.
  func collect(from pager: MemoryPager) {
    state.withLock { state in
      for latency in pager.latencies(after: &state.cursor) {
        state.histogram.record(min(UInt64(latency), Self.longest))
      }
    }
  }

  /// Nanoseconds below which so many percent of the waits were; nil where there was none.
  func percentile(_ percent: Double) -> UInt64? {
    state.withLock { $0.histogram.totalCount == 0 ? nil : $0.histogram.valueAtPercentile(percent) }
  }
}
