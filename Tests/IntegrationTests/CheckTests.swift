import FSRSystem
import FSRTestSupport
import Testing

/// `fsr check`, and the blockers of a handoff, with a VM of real processes.
@Suite(.serialized) struct CheckTests {
  private static func check(_ body: @escaping @Sendable (TestVM) throws -> [String]) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "32M", "--vcpus", "2"])
      let first = try vm.status()["pid"]
      var findings = try body(vm)
      if try !vm.advances() { findings.append("the guest stands still") }
      let errors = try vm.guestErrors()
      if errors != 0 { findings.append("the guest counts errors: \(String(describing: errors))") }
      let after = try vm.status()
      if after["pid"] != first || after["generation"]?.number != 1 { findings.append("moved: \(after)") }
      if try vm.machines().count != 1 { findings.append("left behind: \(try vm.machines())") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  private static func codes(_ answer: JSONValue) -> [String?] {
    answer["blockers"]?.elements.map { $0["code"]?.text } ?? []
  }

  @Test func aCheckFindsNothingAndChangesNothing() async {
    await Self.check { vm in
      var findings: [String] = []
      for _ in 1...3 {
        let (code, answer) = try vm.answer("check")
        if code != 0 || answer["ok"] != .bool(true) || !Self.codes(answer).isEmpty {
          findings.append("check ended with \(code ?? -1): \(answer)")
        }
      }
      let (code, answer) = try vm.answer("check", ["--if-needed"])
      if code != 0 || answer["reason"]?.text?.contains("already") != true { findings.append("\(answer)") }
      return findings
    }
  }

  @Test func aPausedGuestCanBeChecked() async {
    await Self.check { vm in
      var findings: [String] = []
      _ = try vm.pause()
      let (code, answer) = try vm.answer("check")
      if code != 0 { findings.append("check ended with \(code ?? -1): \(answer)") }
      let state = try vm.status()["state"]?.text
      if state != "paused" { findings.append("it is \(state ?? "-")") }
      _ = try vm.answer("resume")
      return findings
    }
  }

  @Test func whatIsInTheWayIsSaidWithARemedy() async {
    await Self.check { vm in
      var findings: [String] = []
      let cases: [(options: [String], code: String)] = [
        (["--to", "/nonexistent/fsr"], "executable"), (["--to", "/tmp"], "executable"),
        (["--to", "/bin/true"], "destination"), (["--timeout", "1ms"], "deadline"),
      ]
      for (options, expected) in cases {
        let (code, answer) = try vm.answer("check", options)
        let blocker = answer["blockers"]?.elements.first
        let isSaid = ["what", "remedy"].allSatisfy { blocker?[$0]?.text?.isEmpty == false }
        if code != 3 || answer["ok"] != .bool(false) || Self.codes(answer) != [expected] || !isSaid {
          findings.append("check \(options) ended with \(code ?? -1): \(answer)")
        }
        let lines = try vm.fsr(["check", vm.name] + options).errorLines
        if lines.count != 1 { findings.append("check \(options) says \(lines)") }
      }
      let (code, answer) = try vm.answer("handoff", ["--to", "/bin/true"])
      if code != 4 || Self.codes(answer) != ["destination"] { findings.append("handoff: \(answer)") }
      return findings
    }
  }

  @Test func whileAnotherHandoffIsUnderWayItIsBusy() async {
    await Self.check { vm in
      var findings: [String] = []
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let handoff = try vm.startHandoff(
        ["--timeout", "50s", "--fault", "destination:prepare:stop"], output: output)
      let isStopped = try TestVM.wait { try vm.machines().contains { $0.value == .stopped } }
      if !isStopped { findings.append("no destination stands still") }
      let (code, answer) = try vm.answer("check")
      if code != 3 || Self.codes(answer) != ["busy"] { findings.append("check: \(answer)") }
      _ = try handoff.process.signal(SignalNumber.interrupt)
      let status = try handoff.ended()
      if status != .exited(4) { findings.append("handoff ended with \(String(describing: status))") }
      return findings
    }
  }

  /// What is allowed is less than any handoff takes.
  @Test func aHandoffThatWouldTakeTooLongIsNotBegun() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "32M"])
      var findings: [String] = []
      for _ in 1...3 {
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff: \(answer)") }
      }
      for command in ["check", "handoff"] {
        let (code, answer) = try vm.answer(command, ["--max-downtime", "1us"])
        if code != 3 || Self.codes(answer) != ["downtime"] { findings.append("\(command): \(answer)") }
      }
      let generation = try vm.status()["generation"]?.number
      if generation != 4 { findings.append("generation \(String(describing: generation))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aCheckStandsInTheHistoryAsOne() async {
    await Self.check { vm in
      _ = try vm.answer("check")
      _ = try vm.answer("check", ["--to", "/bin/true"])
      let folder = try Directory.open("\(vm.runtime)/\(vm.name)")
      let text = String(
        decoding: try folder.openFile("history", .read).readAll(limit: 1 << 20), as: UTF8.self)
      let events = try text.split(separator: "\n").map { try JSONValue(parsing: String($0))["event"]?.text }
      return events == ["check", "check"] ? [] : ["history: \(text)"]
    }
  }
}
