internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// One case of the bench: a guest handed over many times, with a sample of the floor after each.
struct BenchRun {
  /// Nanoseconds in which the guest touches all of its memory.
  private static let timeout: UInt64 = 1_800_000_000_000

  /// Handoffs of a case, about, of which the brownout is looked at.
  private static let brownoutLimit = 100

  let vcpus: Int
  let memory: BenchMemory
  let handoffs: Int
  let interruption: Interruption

  /// Runs it. A handoff that fails is counted and reported with `complain`; a VM that is gone ends the case.
  func perform(complain: (String) -> Void) throws -> BenchAnswer.Case {
    var result = BenchAnswer.Case(
      vcpus: vcpus, memory: "\(memory)", memoryBytes: memory.size.bytes, sparse: memory.isSparse)
    if let blocker = try memory.blocker() {
      result.skipped = blocker
      complain("\(vcpus) vCPUs with \(memory) are skipped: \(blocker)")
      return result
    }
    var configuration = VMConfiguration(
      name: "bench", memory: memory.size.bytes, vcpus: vcpus, guest: "soak")
    configuration.workingSet = memory.workingSet
    configuration.stride = memory.stride
    // On a disk, as it is meant for; it goes with the VM.
    configuration.paging = memory.paging(swap: "/var/tmp/fsr-bench-\(ProcessIdentity.current().pid)")
    let vm = try TemporaryVM.start(configuration)
    var bar = ProgressBar()
    defer { bar.clear() }
    try fill(vm, &bar)
    var floor = try Floor(threads: vcpus)
    result.floorRealTime = floor.isRealTime
    var downtimes = Latencies()
    var floors = Latencies()
    var gaps = Latencies()
    var brownouts = Brownouts()
    for number in 0..<handoffs {
      bar.show("handoffs, \(vcpus) vCPUs, \(memory)", done: number, of: handoffs)
      let steady = number % brownoutStride == 0 ? try Throughput.measure(vm) : nil
      let run = try vm.handOver(interruption)
      if let failure = run.failure(vm: "the guest") {
        result.failed += 1
        bar.clear()
        complain(failure.description)
        if run.end == .lost || run.end == .stunned { throw failure }
      } else if let report = run.report, let downtime = report.downtimeNanoseconds {
        result.handoffs += 1
        downtimes.add(downtime)
        if let gap = report.guestMaxGapMicroseconds { gaps.add(gap * 1000) }
        if let steady { brownouts.add(try vm.arrival(), against: steady) }
      }
      floors.add(try floor.sample())
    }
    result.downtimeUs = BenchAnswer.Spread(downtimes)
    result.floorUs = BenchAnswer.Spread(floors)
    result.guestMaxGapUs = BenchAnswer.Spread(gaps)
    result.brownout = BenchAnswer.Brownout(brownouts)
    let errors = try vm.measure().guest.errors
    guard errors == 0 else { throw Failure(.failed, "the guest found \(errors) errors in its memory") }
    return result
  }

  /// A brownout takes a quarter of a second to see, so it is looked at in so many handoffs only, all along.
  private var brownoutStride: Int { max(1, handoffs / BenchRun.brownoutLimit) }

  /// Lets the guest touch all that it works in.
  private func fill(_ vm: borrowing TemporaryVM, _ bar: inout ProgressBar) throws {
    let pages = Int(memory.touched / StatusAnswer.pageSize)
    try vm.wait(forPasses: 1, timeout: BenchRun.timeout) { status in
      try interruption.check()
      bar.show("pages touched, \(vcpus) vCPUs, \(memory)", done: Int(status.report.residentPages), of: pages)
    }
    bar.clear()
  }
}
