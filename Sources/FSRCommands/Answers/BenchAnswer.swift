/// The answer of `fsr bench`.
package struct BenchAnswer: Answer {
  /// Times in microseconds.
  struct Spread: Codable, Equatable, Sendable {
    @Nullable var p50: Double?
    @Nullable var p99: Double?
    @Nullable var max: Double?

    init(_ latencies: Latencies = Latencies()) {
      p50 = latencies.percentile(50)
      p99 = latencies.percentile(99)
      max = latencies.maximum
    }

    /// For people: `p50 / p99 / max`.
    var text: String {
      guard let p50, let p99, let max else { return "-" }
      return "\(p50) / \(p99) / \(max)"
    }
  }

  /// Throughput in a window after the guest's entry, by what it was before the handoff.
  struct Window: Codable, Equatable, Sendable {
    @Nullable var p50: Double?
    @Nullable var worst: Double?

    init(_ ratios: [Double] = []) {
      let sorted = ratios.sorted()
      p50 = sorted.isEmpty ? nil : BenchAnswer.rounded(sorted[(sorted.count - 1) / 2])
      worst = sorted.first.map(BenchAnswer.rounded)
    }

    /// For people: `p50 / worst`, in percent.
    var text: String {
      guard let p50, let worst else { return "-" }
      return "\(Int((p50 * 100).rounded())) / \(Int((worst * 100).rounded()))"
    }
  }

  struct Brownout: Codable, Equatable, Sendable {
    var samples = 0
    /// Before the handoffs, of all vCPUs.
    @Nullable var steadyMips: Double?
    var oneMs = Window()
    var tenMs = Window()
    var hundredMs = Window()

    init() {}

    init(_ brownouts: Brownouts) {
      samples = brownouts.count
      steadyMips = brownouts.steadyMips.map { ($0 * 10).rounded() / 10 }
      oneMs = Window(brownouts.ratios[0])
      tenMs = Window(brownouts.ratios[1])
      hundredMs = Window(brownouts.ratios[2])
    }
  }

  struct Case: Codable, Equatable, Sendable {
    var vcpus: Int
    var memory: String
    var memoryBytes: UInt64
    var sparse: Bool
    /// Why it was not run.
    @Nullable var skipped: String?
    var handoffs = 0
    var failed = 0
    var downtimeUs = Spread()
    var floorUs = Spread()
    var guestMaxGapUs = Spread()
    var brownout = Brownout()
    /// The downtime's p50 by the floor's.
    @Nullable var ratioToFloor: Double?
    /// The downtime's p50 by that of the first memory size with as many vCPUs.
    @Nullable var ratioToFirst: Double?
    /// Whether the floor's threads could run before all others.
    @Nullable var floorRealTime: Bool?
  }

  @Nullable var reason: String?
  var cases: [Case] = []

  init() {}

  /// Adds a case and sets it in relation to the first of its kind.
  mutating func add(_ new: Case) {
    var new = new
    let first = cases.first { $0.vcpus == new.vcpus && $0.skipped == nil } ?? new
    new.ratioToFloor = BenchAnswer.ratio(new.downtimeUs.p50, new.floorUs.p50)
    new.ratioToFirst = BenchAnswer.ratio(new.downtimeUs.p50, first.downtimeUs.p50)
    cases.append(new)
  }

  private static func ratio(_ value: Double?, _ base: Double?) -> Double? {
    guard let value, let base, base > 0 else { return nil }
    return rounded(value / base)
  }

  /// To a hundredth.
  private static func rounded(_ ratio: Double) -> Double { (ratio * 100).rounded() / 100 }

  /// For people: a row for each case, times in µs.
  var lines: [String] {
    var table = TextTable([
      ("VCPUS", .right), ("MEMORY", .left), ("HANDOFFS", .right), ("FAILED", .right),
      ("DOWNTIME p50/p99/max", .right), ("FLOOR p50/p99/max", .right), ("x FLOOR", .right),
      ("x FIRST", .right), ("GUEST'S GAP p50/p99/max", .right),
    ])
    for one in cases {
      table.add([
        "\(one.vcpus)", one.memory, one.skipped == nil ? "\(one.handoffs)" : "skipped", "\(one.failed)",
        one.downtimeUs.text, one.floorUs.text, one.ratioToFloor.map { "\($0)" } ?? "-",
        one.ratioToFirst.map { "\($0)" } ?? "-", one.guestMaxGapUs.text,
      ])
    }
    return table.lines + ["times in µs"] + brownoutLines
  }

  private var brownoutLines: [String] {
    var table = TextTable([
      ("VCPUS", .right), ("MEMORY", .left), ("SAMPLES", .right), ("STEADY MIPS", .right),
      ("FIRST 1 ms", .right), ("FIRST 10 ms", .right), ("FIRST 100 ms p50/worst", .right),
    ])
    for one in cases where one.brownout.samples > 0 {
      let brownout = one.brownout
      table.add([
        "\(one.vcpus)", one.memory, "\(brownout.samples)", brownout.steadyMips.map { "\($0)" } ?? "-",
        brownout.oneMs.text, brownout.tenMs.text, brownout.hundredMs.text,
      ])
    }
    return [""] + table.lines + ["brownout: throughput after the handoff in % of that before it"]
  }
}
