import FSRHandoff
import FSRSystem
import FSRTestSupport

/// One crash point, tried on a VM of its own.
struct CrashTrial {
  /// What is special about a trial.
  struct Setting: Sendable {
    /// What the VM is started with besides.
    var run: [String] = []
    /// What the handoff is asked for besides.
    var handoff: [String] = []
    /// The faults that the handoff is asked for, where they are not the point's own: then `interlude` sees to the point.
    var faults: String?
    /// Done when the VM runs.
    var isReady: @Sendable (TestVM) throws -> Void = { _ in }
    /// Done while the handoff is under way, by the pid of `fsr handoff`.
    var interlude: @Sendable (TestVM, Int32) throws -> Void = { _, _ in }
    /// What is not as it must be of a VM with this owner.
    var inspect: @Sendable (TestVM, CrashForecast.Owner) throws -> [String] = { _, _ in [] }
  }

  let point: CrashPoint
  private let setting: Setting
  private let vm: TestVM
  private let forecast: CrashForecast
  private var findings: [String] = []

  /// What was not as it must be; empty where all was.
  static func findings(at point: CrashPoint, _ setting: Setting = Setting()) -> [String] {
    let name = (setting.faults.map { "\($0), then " } ?? "") + "\(point)"
    do {
      let limits = Self.hasHung(point, setting) ? Self.briefLimits : BuiltCommand.patience
      var trial = CrashTrial(point: point, setting: setting, vm: try TestVM(limits: limits))
      do { try trial.run() } catch { trial.findings.append("\(error)") }
      return trial.findings.map { "\(name): \($0)" }
    } catch { return ["\(name): \(error)"] }
  }

  /// Whether a party stands still for good: then it is the limits that end it, and else nothing may by being late.
  private static func hasHung(_ point: CrashPoint, _ setting: Setting) -> Bool {
    (setting.faults ?? "\(point)").contains(":stop")
  }

  /// Long enough for whoever is well on a busy machine, as far as whoever hangs is not to be waited for without end.
  private static let briefLimits = BuiltCommand.limits("settle=6s,fence=1s")

  private var deadlines: [String] {
    Self.hasHung(point, setting)
      ? ["--timeout", "20s", "--max-downtime", "4s"] : ["--timeout", "120s", "--max-downtime", "20s"]
  }

  private init(point: CrashPoint, setting: Setting, vm: TestVM) {
    self.point = point
    self.setting = setting
    self.vm = vm
    forecast = CrashForecast(point)
  }

  private mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { findings.append(what()) }
  }

  private mutating func run() throws {
    try vm.run(["--memory", "64M", "--vcpus", "2", "--duty", "10"] + setting.run)
    try setting.isReady(vm)
    let first = try vm.answer("status").value["pid"]?.number
    let status = try handOver()
    switch forecast.exitCode {
    case .some(let code):
      expect(status == .exited(code), "handoff ended with \(String(describing: status)), not \(code)")
    case nil:
      expect(status == .signaled(SignalNumber.kill), "handoff ended with \(String(describing: status))")
    }
    try settle(first)
    if forecast.owner != .lost {
      findings += try setting.inspect(vm, forecast.owner)
      try checkGuest()
    }
    for left in try vm.stopped() { findings.append("left behind: \(left)") }
  }

  /// Runs the handoff to its end, letting a stopped coordinator go on when nothing else moves any more.
  private mutating func handOver() throws -> FSRSystem.ExitStatus? {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let child = try vm.startHandoff(
      deadlines + ["--fault", setting.faults ?? "\(point)"] + setting.handoff,
      output: output)
    try setting.interlude(vm, child.pid)
    let hasEnded = try TestVM.wait {
      if try child.process.waitForExit(timeout: 5_000_000) { return true }
      if ProcessTable.state(of: child.pid) == .stopped, try isQuiet() {
        _ = try child.process.signal(SignalNumber.go)
      }
      return false
    }
    if !hasEnded {
      findings.append("the handoff did not end")
      _ = try child.process.signal(SignalNumber.kill)
      _ = try child.process.waitForExit(timeout: nil)
    }
    return try child.process.reap()
  }

  /// Whether the others wait for a stopped coordinator: it is decided, or another is gone or stopped too.
  private func isQuiet() throws -> Bool {
    guard let block = try vm.newestBlock() else { return true }
    let machines = try vm.machines()
    return block.state.isTerminal || machines.isEmpty || machines.contains { $0.value == .stopped }
  }

  /// Lets all go on, recovers, and sees that as many processes are left as must be.
  private mutating func settle(_ first: Double?) throws {
    try vm.letGo()
    let (code, answer) = try vm.answer("recover")
    let isLost = forecast.owner == .lost
    expect(code == (isLost ? 6 : 0), "recover ended with \(String(describing: code)): \(answer)")
    let survivors = isLost ? 0 : 1
    let isSettled = try TestVM.wait {
      try vm.letGo()
      return try vm.machines().count == survivors
    }
    let machines = try vm.machines()
    expect(isSettled, "\(machines.count) VMMs live: \(machines)")

    // A source that was let go before it took the request is still finding out that it came to nothing.
    var (statusCode, status) = try vm.answer("status")
    _ = try TestVM.wait {
      if status["state"]?.text != "handoff" { return true }
      (statusCode, status) = try vm.answer("status")
      return false
    }
    expect(statusCode == (isLost ? 6 : 0), "status ended with \(String(describing: statusCode))")
    expect(
      status["state"]?.text == (isLost ? "lost" : "running"),
      "the state is \(String(describing: status["state"]))")
    if isLost { return }
    let owner = try TestVM.owner(of: vm)
    let due = forecast.owner
    expect(owner == due, "the \(owner.map { "\($0)" } ?? "nobody") owns it, not the \(due)")
    expect(answer["owner"]?.text == forecast.owner.rawValue, "recover says \(answer)")
    let pid = status["pid"]?.number
    expect(machines.keys.map { Double($0) } == [pid], "process \(String(describing: pid)) of \(machines)")
    expect(
      (pid == first) == (forecast.owner == .source),
      "process \(String(describing: pid)) was \(String(describing: first))")
    let generation = status["generation"]?.number
    expect(generation == forecast.generation, "generation \(String(describing: generation))")
  }

  private mutating func checkGuest() throws {
    let advances = try vm.advances()
    expect(advances, "the guest stands still")
    let errors = try vm.guestErrors()
    expect(errors == 0, "the guest counts errors: \(String(describing: errors))")
  }
}

extension TestVM {
  /// Who owns the VM by its newest block; nil while nobody does.
  static func owner(of vm: TestVM) throws -> CrashForecast.Owner? {
    guard let block = try vm.newestBlock() else { return nil }
    switch block.state {
    // A VM's first block is its first VMM's.
    case .destination where block.attempt == 1: return .source
    case .resumed: return .source
    case .destination: return block.identity(of: .source) == nil ? .successor : .destination
    case .none, .destVerify, .source, .successor: return nil
    }
  }
}
