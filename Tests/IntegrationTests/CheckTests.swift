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

  /// Its handoffs before are said to have taken longer than is allowed.
  @Test func aHandoffThatWouldTakeTooLongIsNotBegun() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "32M"])
      var findings: [String] = []
      for _ in 1...3 {
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff: \(answer)") }
      }
      let slow = try BuiltCommand.shell(
        "sed -i 's/\"downtime_us\":[0-9]*/\"downtime_us\":3000000/' '\(vm.runtime)/\(vm.name)/history'")
      if slow.code != 0 { findings.append("\(slow)") }
      for command in ["check", "handoff"] {
        let (code, answer) = try vm.answer(command, ["--max-downtime", "1s"])
        if code != 3 || Self.codes(answer) != ["downtime"] { findings.append("\(command): \(answer)") }
      }
      let generation = try vm.status()["generation"]?.number
      if generation != 4 { findings.append("generation \(String(describing: generation))") }
      // Done as it is told, it succeeds.
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("with more: \(answer)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// A script is of no build: what it starts may be any.
  @Test func aScriptIsNotCalledABuild() async {
    await Self.check { vm in
      let place = try TemporaryDirectory(under: "/tmp")
      let made = try BuiltCommand.shell(
        "cd \(place.path); printf '#!/bin/sh\nexec %s \"$@\"\n' \"$FSR\" > wrapper; chmod 755 wrapper")
      var findings = made.code == 0 ? [] : ["\(made)"]
      let (code, answer) = try vm.answer("check", ["--to", place.path + "/wrapper"])
      if code != 0 || answer["build"] != .null { findings.append("check: \(answer)") }
      let own = try vm.answer("check").value["build"]?.text
      if own?.count != 40 { findings.append("without it: \(own ?? "-")") }
      return findings
    }
  }

  @Test func aFailedHandoffNamesTheBuildThatFailed() async {
    await Self.check { vm in
      let result = try vm.fsr(["handoff", vm.name, "--to", "/bin/true"])
      let (code, answer) = try vm.answer("handoff", ["--to", "/bin/true"])
      let build = answer["build"]?.text ?? "-"
      let isSaid = result.errors.contains("to build \(build.prefix(12)) (/bin/true)")
      return code == 4 && isSaid ? [] : ["\(result) \(answer)"]
    }
  }

  @Test func theLogSaysWhichProcessAndBuildItIs() async {
    await Self.check { vm in
      _ = try vm.answer("check")
      let (pid, build) = (try vm.status()["pid"]?.number ?? 0, try vm.status()["build"]?.text ?? "-")
      let lines = try vm.fsr(["log", vm.name]).output.split(separator: "\n")
      let isSaid =
        !lines.isEmpty && lines.allSatisfy { $0.contains("build=\(build.prefix(12))") && $0.contains("pid=") }
      return isSaid && lines.contains { $0.contains("pid=\(Int(pid))") } ? [] : ["log: \(lines)"]
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
