internal import FSRClient
internal import FSRHost
internal import FSRMachine
internal import FSRState
internal import FSRSystem

/// One case of `fsr bench cpu`: the bench guest on a number of vCPUs, run by fsr and by QEMU by turns.
struct CPUBenchRun {
  /// Nanoseconds for one run of the guest.
  private static let timeout: UInt64 = 900_000_000_000

  let vcpus: Int
  let work: Int
  let repeats: Int
  /// Nil where there is none.
  let qemu: QEMU?
  let interruption: Interruption

  /// Of every kernel the shortest run on each.
  func perform(complain: (String) -> Void) throws -> BenchCPUAnswer.Case {
    let image = BenchGuest.image(harts: vcpus, work: work)
    var own = BestTimes()
    var reference: BestTimes? = qemu == nil ? nil : BestTimes()
    var hostSpeed = 0.0
    var bar = ProgressBar()
    defer { bar.clear() }
    for turn in 0..<repeats {
      let show = { bar.show("rounds, \(vcpus) vCPUs", done: turn, of: repeats) }
      hostSpeed = max(hostSpeed, HostSpeed.measure())
      own.add(try runHere(image, wait: show))
      guard let qemu, reference != nil else { continue }
      do {
        let output = try qemu.run(
          image, harts: vcpus, timeout: CPUBenchRun.timeout, interruption, wait: show)
        reference?.add(try BenchTranscript(output, harts: vcpus, work: work))
      } catch {
        try interruption.check()
        bar.clear()
        complain("QEMU is left out of \(vcpus) vCPUs: \(error)")
        reference = nil
      }
    }
    return BenchCPUAnswer.Case(
      vcpus: vcpus, instructions: own.instructions, own: own.ticks, reference: reference?.ticks,
      hostSpeed: hostSpeed)
  }

  /// In a VM of its own, which is what `fsr run` would start.
  private func runHere(_ image: [UInt8], wait: () -> Void) throws -> BenchTranscript {
    let output = try OutputMemory()
    let file = try Memfd.create(name: "fsr-bench-guest", size: UInt64(image.count))
    try file.write(image, at: 0)
    let configuration = VMConfiguration(
      name: "bench", memory: BenchGuest.memory, vcpus: vcpus, guest: "bench", console: "memory")
    let vm = try TemporaryVM.start(configuration, image: file, console: try output.descriptor.duplicate())
    let deadline = MonotonicClock.now() + CPUBenchRun.timeout
    let end = try VMLife.waitForEnd(of: vm.folder) {
      wait()
      return interruption.hasCome || MonotonicClock.now() >= deadline
    }
    try interruption.check()
    guard let end else {
      throw Failure(.failed, "the guest did not come to its end; see `fsr bench cpu --help`")
    }
    let bytes = try output.bytes()
    do throws(BenchTranscriptError) {
      let transcript = try BenchTranscript(bytes, harts: vcpus, work: work)
      guard end == .passed else { throw .cutShort(lastLine: "\(end)") }
      return transcript
    } catch {
      throw Failure(.failed, "the bench guest failed: \(error)")
    }
  }
}

/// Of every kernel its shortest time so far.
private struct BestTimes {
  /// Of all harts, by kernel.
  private(set) var instructions: [UInt64] = []
  /// In units of 100 ns.
  private(set) var ticks: [UInt64] = []

  mutating func add(_ transcript: BenchTranscript) {
    let new = transcript.kernels.map(\.ticks)
    ticks = ticks.isEmpty ? new : zip(ticks, new).map { min($0, $1) }
    instructions = transcript.kernels.map(\.instructions)
  }
}
