internal import FSRMachine
internal import Glibc

/// The answer of `fsr bench cpu`. MIPS are million guest instructions per second, of all vCPUs together.
package struct BenchCPUAnswer: Answer {
  struct Kernel: Codable, Equatable, Sendable {
    var name: String
    /// As the vCPUs of fsr count them; QEMU's time is set in relation to the same number.
    var instructions: UInt64
    var fsrMips: Double
    @Nullable var qemuMips: Double?
    /// fsr's by QEMU's.
    @Nullable var ratioToQemu: Double?
  }

  struct Case: Codable, Equatable, Sendable {
    var vcpus: Int
    var kernels: [Kernel]
    /// Geometric means over the kernels.
    var fsrMips: Double
    @Nullable var qemuMips: Double?
    @Nullable var ratioToQemu: Double?
    /// The mean by that of one vCPU; null where one vCPU was not measured.
    @Nullable var fsrScaling: Double?
    @Nullable var qemuScaling: Double?
    /// Million dependent operations per second of one host thread.
    var hostMops: Double
    /// How many of those one vCPU's instruction costs.
    var hostOperationsPerInstruction: Double
  }

  struct Reference: Codable, Equatable, Sendable {
    @Nullable var path: String?
    @Nullable var version: String?
    /// Why there is none.
    @Nullable var missing: String?
  }

  @Nullable var reason: String?
  @Nullable var processors: Int?
  @Nullable var repeats: Int?
  /// Thousandths of the full work.
  @Nullable var work: Int?
  var qemu = Reference()
  var cases: [Case] = []

  init() {}

  /// Adds a case and sets it in relation to the one of one vCPU.
  mutating func add(_ new: Case) {
    var new = new
    let single = cases.first { $0.vcpus == 1 } ?? (new.vcpus == 1 ? new : nil)
    new.fsrScaling = BenchCPUAnswer.ratio(new.fsrMips, single?.fsrMips)
    new.qemuScaling = BenchCPUAnswer.ratio(new.qemuMips, single?.qemuMips)
    cases.append(new)
  }

  static func ratio(_ value: Double?, _ base: Double?) -> Double? {
    guard let value, let base, base > 0 else { return nil }
    return (value / base * 1000).rounded() / 1000
  }

  static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  /// Nil of none.
  static func geometricMean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : exp(values.map { log($0) }.reduce(0, +) / Double(values.count))
  }
}

extension BenchCPUAnswer.Case {
  /// - Parameters:
  ///   - own, reference: by kernel, units of 100 ns; `reference` is nil where QEMU did not run.
  ///   - hostSpeed: million dependent operations per second.
  init(vcpus: Int, instructions: [UInt64], own: [UInt64], reference: [UInt64]?, hostSpeed: Double) {
    func rates(_ ticks: [UInt64]) -> [Double] {
      zip(instructions, ticks).map { Double($0) * 10 / Double(max(1, $1)) }
    }
    let fsr = rates(own)
    let qemu = reference.map(rates)
    self.vcpus = vcpus
    kernels = BenchGuest.kernels.indices.map { index in
      BenchCPUAnswer.Kernel(
        name: BenchGuest.kernels[index], instructions: instructions[index],
        fsrMips: BenchCPUAnswer.tenths(fsr[index]), qemuMips: qemu.map { BenchCPUAnswer.tenths($0[index]) },
        ratioToQemu: BenchCPUAnswer.ratio(fsr[index], qemu?[index]))
    }
    let mean = BenchCPUAnswer.geometricMean(fsr) ?? 0
    let referenceMean = qemu.flatMap(BenchCPUAnswer.geometricMean)
    fsrMips = BenchCPUAnswer.tenths(mean)
    qemuMips = referenceMean.map(BenchCPUAnswer.tenths)
    ratioToQemu = BenchCPUAnswer.ratio(mean, referenceMean)
    hostMops = BenchCPUAnswer.tenths(hostSpeed)
    hostOperationsPerInstruction = BenchCPUAnswer.tenths(hostSpeed * Double(vcpus) / max(mean, 0.001))
  }
}

extension BenchCPUAnswer {
  /// For people: a row for each kernel of each case, and one for the mean.
  var lines: [String] {
    var table = TextTable([
      ("VCPUS", .right), ("KERNEL", .left), ("INSTRUCTIONS", .right), ("FSR MIPS", .right),
      ("QEMU MIPS", .right), ("x QEMU", .right), ("FSR SCALES", .right), ("QEMU SCALES", .right),
    ])
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "-" }
    for one in cases {
      for kernel in one.kernels {
        table.add([
          "\(one.vcpus)", kernel.name, "\(kernel.instructions)", "\(kernel.fsrMips)", text(kernel.qemuMips),
          text(kernel.ratioToQemu), "", "",
        ])
      }
      table.add([
        "\(one.vcpus)", "geometric mean", "", "\(one.fsrMips)", text(one.qemuMips), text(one.ratioToQemu),
        text(one.fsrScaling), text(one.qemuScaling),
      ])
    }
    var notes = ["million guest instructions per second of all vCPUs; the best of \(repeats ?? 0) runs"]
    notes.append(qemu.missing.map { "no QEMU to compare with: \($0)" } ?? "QEMU: \(qemu.version ?? "-")")
    for one in cases {
      notes.append(
        "\(one.vcpus) vCPUs: the host does \(one.hostMops) million dependent operations per second on one thread, "
          + "\(one.hostOperationsPerInstruction) in the time of one instruction of a vCPU")
    }
    return table.lines + notes
  }
}
