import FSRSystem
import FSRTestSupport
import Testing

/// A VMM that lives and answers nobody: every command says which process that is, and what to do.
@Suite(.serialized) struct SilentVMMTests {
  private static func check(_ body: @escaping @Sendable (TestVM, Int32) throws -> [String]) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30"])
      guard let pid = try vm.machines().keys.first else { return ["no VMM"] }
      return try body(vm, pid) + (try vm.stopped())
    }
  }

  @Test func oneThatWasStoppedIsNamedWithARemedy() async {
    await Self.check { vm, pid in
      var findings: [String] = []
      try ProcessTable.signal(SignalNumber.stop, pid: pid, of: vm.name)
      if try !TestVM.wait(until: { try vm.machines()[pid] == .stopped }) {
        findings.append("it does not stop")
      }
      let expected: [(command: String, code: Int32)] = [
        ("status", 0), ("pause", 1), ("resume", 1), ("check", 3), ("handoff", 3),
      ]
      for (command, code) in expected {
        let answer = try vm.answer(command)
        if answer.code != code || answer.value["reason"]?.text?.contains("`kill -CONT \(pid)`") != true {
          findings.append("\(command): \(answer)")
        }
        let codes = answer.value["blockers"]?.elements.compactMap { $0["code"]?.text } ?? ["source"]
        if codes != ["source"] { findings.append("\(command): \(answer)") }
      }
      let console = try vm.fsr(["console", vm.name, "--read-only"])
      if console.code != 1 || !console.errors.contains("`kill -CONT \(pid)`") {
        findings.append("\(console)")
      }
      if try !vm.fsr(["status", vm.name]).output.contains("no answer ") {
        findings.append("no line says it")
      }
      if try !vm.fsr(["list"]).output.contains("running, no answer") { findings.append("the list is silent") }
      try vm.letGo()
      let isBack = try TestVM.wait { try vm.answer("status").value["guest"]?["errors"] == .number(0) }
      let status = try vm.answer("status").value
      if !isBack || status["reason"] != .null { findings.append("it does not come back: \(status)") }
      return findings
    }
  }

  @Test func oneThatStoppedInAHandoffIsNamedByTheHandoffAndByARecovery() async {
    await Self.check { vm, pid in
      var findings: [String] = []
      let options = ["--timeout", "2s", "--fault", "source:saveCheckpoint:stop"]
      for (command, options) in [("handoff", options), ("recover", [])] {
        let (code, answer) = try vm.answer(command, options)
        if code != 5 || answer["reason"]?.text?.contains("`kill -CONT \(pid)`") != true {
          findings.append("\(command): \(code as Any) \(answer)")
        }
      }
      try vm.letGo()
      let (code, answer) = try vm.answer("recover")
      if code != 0 || answer["owner"]?.text != "source" { findings.append("recover: \(answer)") }
      if try !vm.advances() { findings.append("the guest stands still") }
      return findings
    }
  }

  @Test func aDestinationThatStopsIsTimedInMilliseconds() async {
    await Self.check { vm, _ in
      let (code, answer) = try vm.answer(
        "handoff", ["--max-downtime", "900ms", "--fault", "destination:takeStorage:stop"])
      let isSaid = answer["reason"]?.text?.contains("did not run the guest within 900 ms") == true
      return code == 4 && isSaid ? [] : ["handoff: \(code as Any) \(answer)"]
    }
  }

  @Test func oneWithoutDescriptorsIsNotTakenForAnOldBuild() async {
    await Self.check { vm, pid in
      var findings: [String] = []
      let used = try ProcessTable.descriptorCount(of: pid)
      for limit in [used, used + 1] {
        let squeezed = try BuiltCommand.shell("prlimit --pid \(pid) --nofile=\(limit):4096")
        if squeezed.code != 0 { findings.append("\(squeezed)") }
        for command in [["pause", vm.name], ["console", vm.name, "--read-only"]] {
          let result = try vm.fsr(command)
          if result.code == 0, command[0] == "pause" { continue }
          if result.code != 1 || !result.errors.contains("Too many open files")
            || !result.errors.contains("prlimit --pid \(pid)")
          {
            findings.append("\(command) with \(limit): \(result)")
          }
        }
      }
      let eased = try BuiltCommand.shell("prlimit --pid \(pid) --nofile=1024:4096")
      if eased.code != 0 { findings.append("\(eased)") }
      return findings
    }
  }
}
