internal import FSRSystem
internal import Histogram

/// Times of one kind, and where most of them lie. Kept to three digits, however many there are.
package struct Latencies: Sendable {
  private var histogram = Histogram<UInt64>(highestTrackableValue: TimeSpan.limit)

  package init() {}

  /// Adds one, in nanoseconds; a longer one than a day counts as a day.
  package mutating func add(_ nanoseconds: UInt64) { histogram.record(min(nanoseconds, TimeSpan.limit)) }

  package var count: Int { Int(histogram.totalCount) }

  /// The time, in microseconds, that `percent` of all do not exceed; nil of none.
  package func percentile(_ percent: Double) -> Double? {
    count == 0 ? nil : Latencies.microseconds(histogram.valueAtPercentile(percent))
  }

  /// The longest, in microseconds; nil of none.
  package var maximum: Double? { count == 0 ? nil : Latencies.microseconds(histogram.maxRecorded) }

  /// To a tenth: more digits than that are noise.
  private static func microseconds(_ nanoseconds: UInt64) -> Double {
    Double((nanoseconds + 50) / 100) / 10
  }
}
