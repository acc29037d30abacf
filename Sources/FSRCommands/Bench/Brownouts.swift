internal import FSRClient
internal import FSRHost
internal import FSRSystem

/// A guest's throughput in the first moments after handoffs, in relation to what it was before each.
struct Brownouts: Sendable {
  /// The moments at which a VMM looks: 1, 10 and 100 ms after the entry.
  static let moments = 3
  /// Nanoseconds after which a VMM has seen them all.
  static let timeout: UInt64 = 120_000_000

  /// By moment, of every handoff.
  private(set) var ratios: [[Double]] = Array(repeating: [], count: moments)
  private var steady: [Double] = []

  var count: Int { steady.count }

  /// The median of the throughputs before.
  var steadyMips: Double? {
    steady.isEmpty ? nil : steady.sorted()[(steady.count - 1) / 2]
  }

  /// Takes one handoff. A sample that came late counts for the time it came at.
  mutating func add(_ samples: [VMReport.Arrival], against steady: Throughput) {
    guard samples.count >= Brownouts.moments, steady.mips > 0 else { return }
    self.steady.append(steady.mips)
    for (moment, sample) in samples.prefix(Brownouts.moments).enumerated() {
      let mips = Double(sample.instructions) * 1000 / Double(max(1, sample.nanoseconds))
      ratios[moment].append(mips / steady.mips)
    }
  }
}

/// What a guest executes while nothing happens to it.
struct Throughput: Sendable {
  /// Nanoseconds between the two looks, at the least.
  private static let interval: UInt64 = 110_000_000

  /// Million instructions per second, of all vCPUs.
  let mips: Double

  /// Asks the VMM twice, with nothing in between.
  static func measure(_ vm: borrowing TemporaryVM) throws -> Throughput {
    let before = try vm.measure().status.report.facets.vcpus
    MonotonicClock.sleep(interval)
    let after = try vm.measure().status.report.facets.vcpus
    guard after.countedAt > before.countedAt else { return Throughput(mips: 0) }
    let executed = after.instructions &- before.instructions
    return Throughput(mips: Double(executed) * 1000 / Double(after.countedAt - before.countedAt))
  }
}
