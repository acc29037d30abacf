import FSRHandoff
import FSRSystem
import FSRTestSupport

/// Handoffs of one VM, each with an abort at a random moment of it.
struct AbortStorm {
  private let vm = Result { try TestVM() }
  private var random: SeededGenerator
  private let place: Owned<TemporaryDirectory>
  /// How long a handoff takes, and an abort that finds nothing, each with its process's start: nanoseconds.
  private var handoffTime: UInt64 = .max
  private var abortTime: UInt64 = .max
  private(set) var findings: [String] = []

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    place = Owned(try TemporaryDirectory())
    let vm = try vm.get()
    try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
    for _ in 1...3 {
      let start = MonotonicClock.now()
      _ = try vm.fsr(["abort", vm.name])
      abortTime = min(abortTime, MonotonicClock.now() - start)
      let middle = MonotonicClock.now()
      let handoff = try vm.fsr(["handoff", vm.name, "--max-downtime", "5s"])
      handoffTime = min(handoffTime, MonotonicClock.now() - middle)
      if handoff.code != 0 { findings.append("a handoff alone: \(handoff)") }
    }
  }

  private func fresh(_ name: String) throws -> OwnedDescriptor {
    try? place.value.directory.unlink(name)
    return try place.value.directory.openFile(name, .append)
  }

  private func answer(_ name: String) throws -> JSONValue {
    let bytes = try place.value.directory.openFile(name, .read).readAll(limit: 1 << 20)
    // The answer is the line that is an object; the other says in words how it ended.
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    return try JSONValue(parsing: lines.first { $0.hasPrefix("{") }.map(String.init) ?? "null")
  }

  /// One handoff with one abort, and a look at what came of both.
  mutating func abortOne(_ index: Int) throws {
    let vm = try vm.get()
    let before = try owner()
    let moment = UInt64.random(in: 0...(handoffTime + abortTime), using: &random)
    let handoffFile = try fresh("handoff")
    let abortFile = try fresh("abort")
    let handoff: ChildProcess
    let abort: ChildProcess
    func pause(_ time: UInt64) { MonotonicClock.sleep(time) }
    // The abort comes to its deed at the end of its own time.
    if moment < abortTime {
      abort = try vm.start("abort", [], output: abortFile)
      pause(abortTime - moment)
      handoff = try vm.startHandoff(["--max-downtime", "5s", "--timeout", "60s"], output: handoffFile)
    } else {
      handoff = try vm.startHandoff(["--max-downtime", "5s", "--timeout", "60s"], output: handoffFile)
      pause(moment - abortTime)
      abort = try vm.start("abort", [], output: abortFile)
    }
    for child in [handoff.pid, abort.pid] {
      let hasEnded = TestVM.wait { ProcessTable.state(of: child) == .dead }
      if !hasEnded { findings.append("\(index): process \(child) does not end") }
    }
    let abortStatus = try abort.process.reap()
    let handoffStatus = try handoff.process.reap()
    try check(index, before, abortStatus, pid: abort.pid, handoffStatus)
  }

  private func owner() throws -> (pid: Int32, generation: UInt64) {
    guard let block = try vm.get().newestBlock(), let owner = block.owner else {
      throw Unexpected("the VM has no owner")
    }
    return (owner.pid, block.generation + (block.state == .destination ? 1 : 0))
  }

  private mutating func check(
    _ index: Int, _ before: (pid: Int32, generation: UInt64), _ abort: FSRSystem.ExitStatus?, pid: Int32,
    _ handoff: FSRSystem.ExitStatus?
  ) throws {
    let vm = try vm.get()
    let (said, told) = (try answer("abort"), try answer("handoff"))
    let after = try owner()
    func expect(_ holds: Bool, _ what: String) {
      if !holds {
        findings.append(
          "\(index): \(what); abort \(abort as Any): \(said); handoff \(handoff as Any): \(told)")
      }
    }
    switch (abort, handoff) {
    case (.exited(0), .exited(4)):
      expect(after == before, "\(before) became \(after)")
      expect(told["victor"]?.text == "source", "the source runs")
      let why = "aborted by uid \(Host.effectiveUserID), process \(pid)"
      expect(told["reason"]?.text == why && said["reason"]?.text == why, "the reason is not the abort")
      expect(said["owner"]?.text == "source", "the abort names another owner")
      expect(said["pid"]?.number == Double(before.pid), "the abort names another process")
      expect(said["generation"]?.number == Double(before.generation), "the abort names another generation")
    case (.exited(4), .exited(0)):
      expect(
        after.pid != before.pid && after.generation == before.generation + 1, "\(before) became \(after)")
    default: expect(false, "they do not agree")
    }
    let machines = try vm.machines()
    expect(Array(machines.keys) == [after.pid], "VMMs \(machines)")
    let blocks = try vm.blockNames()
    expect(blocks.count == 1 && !blocks.contains { $0.hasSuffix(".draft") }, "blocks \(blocks)")
    expect(try vm.isUnlocked(), "the lock is held")
  }

  /// Ends the VM, and answers with all that was found.
  mutating func end() throws -> [String] {
    let vm = try vm.get()
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts errors: \(errors.map { "\($0)" } ?? "nobody says")") }
    let advances = try vm.advances()
    if !advances { findings.append("the guest stands still") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }
}
