import FSRHandoff
import FSRSystem
import FSRTestSupport

/// A way in which a handoff comes to nothing: what is asked for, and how that ends.
enum WayToNothing: Sendable, CustomStringConvertible {
  /// It was only to be tried.
  case trial
  /// It is refused before it is begun, or by whoever was started: the command, what it is given, how it ends.
  case refused(String, [String], Int32)
  /// Somebody dies, is late or says no: the faults, the rest of what is asked for.
  case calledOff(String, [String] = [])
  /// The time for it is over while the parties stand still whom the faults stop.
  case late(String)
  /// Somebody calls it off while a party stands still.
  case aborted(String, [String] = [])
  /// Whoever asked for it is interrupted, while a party stands still.
  case interrupted(String, [String] = [])
  /// Whoever asked for it is killed, while a party stands still; then it is called off.
  case orphaned(String, [String] = [])

  var description: String {
    switch self {
    case .trial: "a trial"
    case .refused(let command, let options, _): "\(command) \(options.joined(separator: " "))"
    case .calledOff(let faults, let options): "\(faults) \(options.joined(separator: " "))"
    case .late(let faults): "its time over at \(faults)"
    case .aborted(let faults, _): "an abort at \(faults)"
    case .interrupted(let faults, _): "an interrupt at \(faults)"
    case .orphaned(let faults, _): "a dead coordinator at \(faults)"
    }
  }

  /// Those without which nothing is begun, or nothing but a destination.
  static let early: [WayToNothing] = [
    .trial, .refused("check", ["--to", "/nonexistent/fsr"], 3), .refused("check", ["--to", "/bin/true"], 3),
    .refused("handoff", ["--to", "/bin/true"], 4),
    .refused("handoff", ["--swap", "mirrored", "--swap-file", "/tmp/none"], 3),
    .late("destination:prepare:stop"),
    .aborted("source:startDestination:stop"), .aborted("destination:negotiate:stop"),
    .aborted("destination:prepare:stop"), .interrupted("destination:prepare:stop"),
    .orphaned("destination:prepare:stop"),
  ]

  /// A destination that dies at each of its steps up to its decision.
  static let deaths: [WayToNothing] = [
    "negotiate", "prepare", "awaitComplete", "claimVerify", "takeStorage", "verify", "claimDestination",
  ].map { .calledOff("destination:\($0):kill") }

  /// In the stun, or a moment before it.
  static let inTheStun: [WayToNothing] = [
    .aborted("source:quiesce:stop"), .aborted("source:stun:stop"), .aborted("source:saveCheckpoint:stop"),
    .aborted("source:releaseStorage:stop"), .aborted("source:complete:stop"),
    .aborted("source:race:stop,destination:claimVerify:stop"), .aborted("destination:verify:stop"),
    .calledOff("destination:verify:stop", ["--max-downtime", "20ms"]),
  ]

  // MARK: going it

  /// What did not go as it should.
  func findings(on vm: TestVM) throws -> [String] {
    switch self {
    case .trial: return try ending("check", [], 0, on: vm)
    case .refused(let command, let options, let code): return try ending(command, options, code, on: vm)
    case .calledOff(let faults, let options):
      let patient = options.contains("--max-downtime") ? [] : ["--max-downtime", "30s"]
      return try ending("handoff", patient + options + ["--fault", faults], 4, on: vm)
    case .late(let faults): return try late(faults, on: vm)
    case .aborted(let faults, let options):
      return try interfere(faults, options, on: vm, due: .exited(4)) { _ in try Self.abort(vm) }
    case .interrupted(let faults, let options):
      return try interfere(faults, options, on: vm, due: .exited(4)) { coordinator in
        _ = try coordinator.signal(SignalNumber.interrupt)
        return []
      }
    case .orphaned(let faults, let options):
      return try interfere(faults, options, on: vm, due: .signaled(SignalNumber.kill)) { coordinator in
        _ = try coordinator.signal(SignalNumber.kill)
        _ = try coordinator.waitForExit(timeout: TestVM.timeout)
        return try Self.abort(vm)
      }
    }
  }

  private func ending(_ command: String, _ options: [String], _ code: Int32, on vm: TestVM) throws -> [String]
  {
    let (ended, answer) = try vm.answer(command, options)
    return ended == code ? [] : ["it ended with \(ended ?? -1): \(answer)"]
  }

  /// Allows little, and more where that was too little for a busy source to take the handoff up.
  private func late(_ faults: String, on vm: TestVM) throws -> [String] {
    for timeout in ["200ms", "2s", "20s"] {
      let options = ["--max-downtime", "30s", "--timeout", timeout, "--fault", faults]
      let (ended, answer) = try vm.answer("handoff", options)
      if ended == 3, answer["reason_code"]?.text == "deadline" { continue }
      return ended == 4 ? [] : ["it ended with \(ended ?? -1): \(answer)"]
    }
    return ["it is never taken up"]
  }

  /// Asks for an abort, and lets go on who stands still once the word was moved.
  private static func abort(_ vm: TestVM) throws -> [String] {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("said", .append)
    let abort = try vm.start("abort", [], output: output)
    _ = try TestVM.wait {
      if ProcessTable.state(of: abort.pid) == .dead { return true }
      guard let block = try vm.newestBlock() else { return true }
      return block.state == .source || block.state == .resumed && block.attempt > 1
    }
    _ = try TestVM.wait {
      try vm.letGo()
      return ProcessTable.state(of: abort.pid) == .dead
    }
    let status = try abort.process.reap()
    if status == .exited(0) { return [] }
    let said = try place.directory.openFile("said", .read).readAll(limit: 1 << 16)
    return ["abort ended with \(status as Any): \(String(decoding: said, as: UTF8.self))"]
  }

  /// Begins a handoff, waits until as many parties stand still as `faults` stops, and does `body`.
  private func interfere(
    _ faults: String, _ options: [String], on vm: TestVM, due: FSRSystem.ExitStatus,
    _ body: (borrowing ProcessDescriptor) throws -> [String]
  ) throws -> [String] {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("said", .append)
    let handoff = try vm.startHandoff(
      ["--timeout", "60s", "--max-downtime", "60s", "--fault", faults] + options, output: output)
    let count = faults.split(separator: ",").count
    let isStanding = try TestVM.wait { try vm.machines().values.filter { $0 == .stopped }.count == count }
    var findings = isStanding ? [] : ["nobody stands still"]
    findings += try body(handoff.process)
    let hasEnded = try TestVM.wait {
      try vm.letGo()
      return ProcessTable.state(of: handoff.pid) == .dead
    }
    if !hasEnded { _ = try handoff.process.signal(SignalNumber.kill) }
    let status = try handoff.ended()
    if status != due {
      let said = try place.directory.openFile("said", .read).readAll(limit: 1 << 16)
      findings.append("it ended with \(status as Any): \(String(decoding: said, as: UTF8.self))")
    }
    return findings
  }
}
