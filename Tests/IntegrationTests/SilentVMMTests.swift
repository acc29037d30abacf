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
      let status = try vm.status()
      if !isBack || status["reason"] != .null { findings.append("it does not come back: \(status)") }
      return findings
    }
  }

  @Test func oneThatStoppedInAHandoffIsNamedByTheHandoffAndByARecovery() async {
    await Self.check { vm, pid in
      var findings: [String] = []
      let options = ["--timeout", "8s", "--max-downtime", "60s", "--fault", "source:saveCheckpoint:stop"]
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

  @Test func aDestinationThatWaitsForItsSourceIsNotBlamed() async {
    await Self.check { vm, pid in
      let (code, answer) = try vm.answer("handoff", ["--timeout", "4s", "--fault", "source:quiesce:stop"])
      let reason = answer["reason"]?.text ?? ""
      let isSaid = reason.contains("`kill -CONT \(pid)`") && !reason.contains("the destination")
      var findings = code == 5 && isSaid ? [] : ["handoff: \(code as Any) \(answer)"]
      try vm.letGo()
      let (after, owner) = try vm.answer("recover")
      if after != 0 || owner["owner"]?.text != "source" { findings.append("recover: \(owner)") }
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

  @Test(arguments: [0, 1]) func oneWithoutDescriptorsIsNotTakenForAnOldBuild(spare: Int) async {
    await Self.check { vm, pid in
      // A client's descriptors are closed a moment after it is answered: what is asked while that changes is asked again.
      for _ in 0..<10 {
        let limit = try ProcessTable.descriptorLimit(of: pid, leaving: spare)
        try Self.squeeze(pid, to: limit)
        let findings = try Self.askWithoutDescriptors(vm, pid, spare: spare)
        var now = limit
        for _ in 0..<100 {
          now = try ProcessTable.descriptorLimit(of: pid, leaving: spare)
          if now == limit { break }
          MonotonicClock.sleep(10_000_000)
        }
        try Self.squeeze(pid, to: 1024)
        if findings.isEmpty || now == limit { return findings }
      }
      return ["its descriptors are never at rest"]
    }
  }

  private static func squeeze(_ pid: Int32, to limit: Int) throws {
    let squeezed = try BuiltCommand.shell("prlimit --pid \(pid) --nofile=\(limit):4096")
    if squeezed.code != 0 { throw Unexpected("\(squeezed)") }
  }

  /// What commands say wrongly of a VMM that cannot open what they need.
  private static func askWithoutDescriptors(_ vm: TestVM, _ pid: Int32, spare: Int) throws -> [String] {
    var findings: [String] = []
    // A console that is attached stays so.
    for command in ["$FSR pause", "timeout 30 $FSR console --read-only"] {
      let result = try BuiltCommand.shell("\(command) \(vm.name) --runtime-dir \(vm.runtime)")
      // One descriptor is enough for that.
      if spare == 1, result.code == 0, command.contains("pause") { continue }
      if result.code != 1 || !result.errors.contains("Too many open files")
        || !result.errors.contains("prlimit --pid \(pid)")
      {
        findings.append("\(command): \(result)")
      }
    }
    return findings
  }
}
