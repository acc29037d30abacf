import FSRHandoff
import FSRSystem
import FSRTestSupport

/// An abort that comes while a party of the handoff stands still at a step of its own.
struct StandingAbort {
  private let fault: String
  private let vm: TestVM
  private let place: Owned<TemporaryDirectory>

  init(_ fault: String) throws {
    self.fault = fault
    vm = try TestVM()
    place = Owned(try TemporaryDirectory())
  }

  /// What was not as it must be, with an abort that is to end with `code`.
  func findings(expecting code: Int32) throws -> [String] {
    var findings: [String] = []
    try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
    let first = try vm.answer("status").value["pid"]
    let output = try place.value.directory.openFile("output", .append)
    let handoff = try vm.startHandoff(
      ["--timeout", "60s", "--max-downtime", "60s", "--fault", fault], output: output)
    let isStanding = try TestVM.wait { try standing(handoff.pid) == fault.split(separator: "stop").count }
    if !isStanding { findings.append("nobody stands at \(fault)") }
    // One that is to come too late comes once it is decided, however long the handoff takes to be.
    if code == 4 {
      let isDecided = try TestVM.wait {
        guard let block = try vm.newestBlock(), block.attempt > 1 else { return false }
        return block.state == .destination
      }
      if !isDecided { findings.append("it is never decided") }
    }
    let said = try place.value.directory.openFile("abort", .append)
    let abort = try vm.start("abort", [], output: said)
    // A source that stands can go on only once it is woken, and it is woken only once it is called off.
    _ = try TestVM.wait {
      try hasMoved() || ProcessTable.state(of: abort.pid) == .dead
    }
    let isEnded = try TestVM.wait {
      try vm.letGo()
      if ProcessTable.state(of: handoff.pid) == .stopped { _ = try handoff.process.signal(SignalNumber.go) }
      return ProcessTable.state(of: abort.pid) == .dead && ProcessTable.state(of: handoff.pid) == .dead
    }
    if !isEnded { findings.append("they do not end") }
    let abortStatus = try abort.process.reap()
    if abortStatus != .exited(code) {
      findings.append("abort ended with \(abortStatus as Any): \(try text("abort"))")
    }
    let status = try handoff.process.reap()
    let wasKilled = fault.contains("coordinator:watch:kill")
    let due: FSRSystem.ExitStatus = wasKilled ? .signaled(SignalNumber.kill) : .exited(code == 0 ? 4 : 0)
    if status != due { findings.append("handoff ended with \(status as Any): \(try text("output"))") }
    if code == 0, !wasKilled, try !text("output").contains("aborted by uid") {
      findings.append("the handoff says \(try text("output"))")
    }
    let isAlone = try TestVM.wait { try vm.machines().count == 1 }
    if !isAlone { findings.append("VMMs: \(try vm.machines())") }
    let pid = try vm.answer("status").value["pid"]
    if (pid == first) != (code == 0) { findings.append("\(first as Any) became \(pid as Any)") }
    let advances = try vm.advances()
    if !advances { findings.append("the guest stands still") }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts \(errors as Any) errors") }
    return (findings + (try vm.stopped().map { "left behind: \($0)" })).map { "\(fault): \($0)" }
  }

  private func standing(_ coordinator: Int32) throws -> Int {
    try vm.machines().values.filter { $0 == .stopped }.count
      + (ProcessTable.state(of: coordinator) == .stopped ? 1 : 0)
  }

  /// Whether the word has left the source's and the destination's hands, in a block with a name or without.
  private func hasMoved() throws -> Bool {
    guard let path = vm.blocksPath(), let folder = try? Directory.open(path) else { return true }
    return try folder.names(limit: 1000).contains { name in
      guard let file = try? folder.openFile(name, .readWrite), let block = try? ControlBlock(adopting: file)
      else {
        return false
      }
      return block.state == .source || block.state == .resumed
    }
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try place.value.directory.openFile(name, .read).readAll(limit: 1 << 20), as: UTF8.self)
  }
}
