import FSRSystem
import FSRTestSupport
import Testing

/// How long a party waits for another, as whoever starts it has said in its environment.
@Suite struct LimitsVariableTests {
  private static let handoff = ["--timeout", "60s", "--max-downtime", "30s"]

  /// A source that waits a millisecond for its destination's answers hands its guest to nobody. It looks at the time
  /// often enough to see that: what is there at a look counts, be it late.
  @Test func aSourceGoesByItsOwn() async {
    await Blocking.check {
      let vm = try TestVM(limits: BuiltCommand.limits("answer=1ms,poll=100us"))
      try vm.run(["--memory", "4M", "--duty", "1"])
      // The command's are the usual ones.
      let result = try BuiltCommand.run(
        ["handoff", vm.name, "--json", "--runtime-dir", vm.runtime] + Self.handoff,
        environment: [BuiltCommand.limits("")])
      let answer = try JSONValue(parsing: result.output)
      var findings: [String] = []
      if result.code != 4 || answer["reason"]?.text?.contains("took longer than allowed") != true {
        findings.append("\(result)")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// A destination, and a successor that a coordinator starts.
  @Test(arguments: [[], ["--fault", "source:race:kill,destination:verify:kill"]])
  func theyGoOnWithTheVM(fault: [String]) async {
    await Blocking.check {
      let vm = try TestVM(limits: BuiltCommand.limits("scale=19,poll=1ms"))
      try vm.run(["--memory", "4M", "--duty", "1"])
      let (code, answer) = try vm.answer("handoff", Self.handoff + fault)
      var findings = code == 0 && answer["generation"]?.number == 2 ? [] : ["\(code as Any): \(answer)"]
      let machines = try vm.machines().keys
      for pid in machines {
        let variables = try OwnedDescriptor.open("/proc/\(pid)/environ", .read).readAll(limit: 1 << 16)
          .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        if !variables.contains(vm.limits) { findings.append("\(pid) has \(variables)") }
      }
      if machines.count != 1 { findings.append("\(machines.count) VMMs live") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// A destination that cannot read them goes by the usual ones, and says so in the log.
  @Test func aGuestIsNotRefusedForThem() async {
    await Blocking.check {
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      let script = "#!/bin/sh\nFSR_LIMITS=patience=3s exec \(try BuiltCommand.path()) \"$@\"\n"
      try place.directory.openFile("vmm", .createNew).write(Array(script.utf8))
      _ = try BuiltCommand.shell("chmod 755 \(place.path)/vmm")
      try vm.run(["--memory", "4M", "--duty", "1"])
      let (code, answer) = try vm.answer("handoff", Self.handoff + ["--to", place.path + "/vmm"])
      var findings = code == 0 ? [] : ["\(code as Any): \(answer)"]
      let log = try vm.fsr(["log", vm.name]).output
      if !log.contains("$FSR_LIMITS: there is no limit 'patience'") { findings.append(log) }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
