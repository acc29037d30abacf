internal import Glibc

/// How many vCPUs ran, on average over the last 1, 5 and 15 minutes: each moment counts the less the longer ago it
/// is, by half in ln 2 of the time, as in the kernel's averages of a host.
package struct LoadAverage: Equatable, Sendable {
  /// Nanoseconds.
  package static let spans: [Double] = [60e9, 300e9, 900e9]

  /// One for each span.
  package private(set) var values: [Double]

  package init() { values = Self.spans.map { _ in 0 } }

  /// Nil where `values` are not one for each span, or not between 0 and `vcpus`.
  package init?(_ values: [Double], vcpus: Int) {
    guard values.count == Self.spans.count, values.allSatisfy({ $0 >= 0 && $0 <= Double(vcpus) }) else {
      return nil
    }
    self.values = values
  }

  /// Adds a stretch of time in which `running` vCPUs ran, on average.
  package mutating func add(running: Double, nanoseconds: Double) {
    guard nanoseconds > 0 else { return }
    for index in values.indices {
      let kept = exp(-nanoseconds / Self.spans[index])
      values[index] = values[index] * kept + running * (1 - kept)
    }
  }
}
