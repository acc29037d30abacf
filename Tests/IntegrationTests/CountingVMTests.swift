import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// A VMM of another kind, which has nothing but memory and vCPUs of its own, served as any other.
@Suite struct CountingVMTests {
  private static func options() throws -> [String] {
    ["--vmm", try BuiltCommand.path(of: "CountingVMM"), "--memory", "1M"]
  }

  private static let generous = ["--timeout", "60s", "--max-downtime", "30s"]

  /// Runs one, and sees that it counts on without errors after `body`, and that nothing of it is left.
  private static func check(_ body: @escaping @Sendable (TestVM) throws -> [String]) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--vcpus", "3"] + options())
      var findings = try body(vm)
      if try !vm.advances() { findings.append("it stands still") }
      let errors = try vm.guestErrors()
      if errors != 0 { findings.append("it counts errors: \(String(describing: errors))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// Each vCPU's count.
  private static func counts(_ vm: TestVM) throws -> [Double] {
    try vm.status()["vcpus"]?.elements.compactMap { $0["instructions"]?.number } ?? []
  }

  @Test func itIsListedWithWhatItHas() async {
    await Self.check { vm in
      var findings: [String] = []
      let list = try JSONValue(parsing: vm.fsr(["list", "--json"]).output)
      if list["vms"]?.elements.map({ $0["name"]?.text }) != [vm.name] { findings.append("\(list)") }
      let status = try vm.status()
      let verbs = status["verbs"]?.elements.compactMap(\.text)
      if status["vmm"]?.text != "counting" || status["state"]?.text != "running"
        || verbs != ["status", "stop", "pause", "resume"] || status["console"]?["path"] != .null
        || status["console"]?["dropped_bytes"] != .null || status["swap"]?["path"] != .null
      {
        findings.append("\(status)")
      }
      return findings
    }
  }

  /// What it does not have is refused in a sentence that says so.
  @Test func whatItLacksIsRefused() async {
    await Self.check { vm in
      var findings: [String] = []
      let console = try vm.fsr(["console", vm.name, "--read-only"])
      if console.code != 3 || console.errorLines.count != 1 || !console.errors.contains("counting") {
        findings.append("\(console)")
      }
      let copy = ["--swap", "mirrored", "--swap-file", vm.runtime + "/copy"]
      let mirrored = try vm.answer("handoff", copy)
      if mirrored.code != 3 || mirrored.value["reason_code"]?.text != "swap" {
        findings.append("\(mirrored)")
      }
      // This program's own VMMs are of another kind: they read none of its sections.
      let other = try vm.answer("check", ["--to", BuiltCommand.path()] + Self.generous)
      let blockers = other.value["blockers"]?.elements.compactMap { $0["code"]?.text }
      if other.code != 3 || blockers != ["version"] { findings.append("\(other)") }
      return findings
    }
  }

  @Test func itIsPausedAndCheckedAndGoesOverPaused() async {
    await Self.check { vm in
      var findings: [String] = []
      func attempt(_ command: String, _ options: [String] = []) throws {
        let answer = try vm.answer(command, options)
        if answer.code != 0 { findings.append("\(command): \(answer)") }
      }
      try attempt("pause")
      let before = try Self.counts(vm)
      try attempt("check", Self.generous)
      try attempt("handoff", Self.generous)
      let after = try Self.counts(vm)
      if before != after || before.count != 3 { findings.append("\(before), then \(after)") }
      if try vm.status()["state"]?.text != "paused" { findings.append("it is not paused") }
      try attempt("resume")
      return findings
    }
  }

  @Test func itIsHandedOverFiftyTimes() async {
    await Self.check { vm in
      var findings: [String] = []
      var last = try Self.counts(vm)
      for number in 1...50 {
        let handoff = try vm.answer("handoff", Self.generous)
        if handoff.code != 0 || handoff.value["generation"]?.number != Double(number + 1) {
          findings.append("handoff \(number): \(handoff)")
        }
        let now = try Self.counts(vm)
        if now.count != 3 || zip(last, now).contains(where: { $0 > $1 }) {
          findings.append("\(last), then \(now)")
        }
        last = now
      }
      return findings
    }
  }

  /// Whichever party dies at whichever step, it runs once, or is lost where it may be, and what can be recovered is.
  @Test(arguments: Party.allCases) func whateverStepAPartyDiesAt(_ party: Party) async throws {
    let points = CrashPoint.steps.filter { point in
      point.faults.last.map { $0.hasPrefix("\(party):") && $0.hasSuffix("kill") } ?? false
    }
    var setting = CrashTrial.Setting()
    setting.run = try Self.options()
    let fixed = setting
    for finding in await Trials.findings(of: points, { CrashTrial.findings(at: $0, fixed) }) {
      Issue.record("\(finding)")
    }
  }
}
