import FSRSystem
import FSRTestSupport
import Testing

/// `fsr pause` and `fsr resume`, with a VM of real processes.
@Suite(.serialized) struct PauseTests {
  private static func instructions(_ vm: TestVM) throws -> (state: String?, count: Double) {
    let status = try vm.status()
    let counts = status["vcpus"]?.elements.compactMap { $0["instructions"]?.number } ?? []
    return (status["state"]?.text, counts.reduce(0, +))
  }

  @Test func aPausedGuestStandsStillOverHandoffs() async {
    await Blocking.check { try Self.standing() }
  }

  private static func standing() throws -> [String] {
    var findings: [String] = []
    let vm = try TestVM()
    try vm.run(["--memory", "32M", "--vcpus", "2"])
    _ = try TestVM.wait { try instructions(vm).count > 1_000_000 }
    for _ in 1...2 {
      // A second time it does nothing.
      let (code, answer) = try vm.pause()
      if code != 0 || answer["state"]?.text != "paused" { findings.append("pause: \(answer)") }
    }
    let before = try instructions(vm).count
    // Whoever wins, the guest stands.
    let faults: [(options: [String], code: Int32)] = [
      ([], 0), (["--fault", "destination:prepare:kill"], 4), (["--fault", "destination:verify:kill"], 4),
      ([], 0),
    ]
    for (options, expected) in faults {
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"] + options)
      if code != expected { findings.append("handoff \(options) ended with \(code ?? -1): \(answer)") }
      // A guest that stands of itself sees no time.
      if answer["guest_max_gap_us"] != .null { findings.append("it is said to have seen a gap: \(answer)") }
      let (state, count) = try instructions(vm)
      if state != "paused" || count != before {
        findings.append("after \(options) it is \(state ?? "-"), \(count) instructions instead of \(before)")
      }
    }
    let (code, answer) = try vm.answer("resume")
    if code != 0 || answer["state"]?.text != "running" { findings.append("resume: \(answer)") }
    if try !vm.advances() { findings.append("it does not go on") }
    let running = try vm.answer("handoff", ["--max-downtime", "5s"])
    if running.code != 0 || running.value["guest_max_gap_us"] == .null { findings.append("\(running)") }
    let again = try vm.answer("resume").code
    if again != 0 { findings.append("a second resume ended with \(again ?? -1)") }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest found \(errors ?? -1) errors") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }

  @Test(.enabled(if: GuestProgram.isClangThere)) func whatIsTypedForAPausedGuestWaits() async {
    await Blocking.check {
      ConsoleVM.findings([]) { console in
        let code = try console.vm.pause().code
        console.expect(code == 0, "pause ended with \(code ?? -1)")
        let client = try ConsoleClient(console.vm, .pipes)
        try client.type("x")
        client.endInput()
        // Longer than it waits for a guest that reads.
        MonotonicClock.sleep(2_500_000_000)
        console.expect(!client.output.contains(UInt8(ascii: "x")) && !client.hasEnded, "it does not wait")
        try console.handOver()
        let resumed = try console.vm.answer("resume").code
        console.expect(resumed == 0, "resume ended with \(resumed ?? -1)")
        console.expectOutput(EchoGuest.greeting + Array("x".utf8), of: client, "what is typed")
        try console.expectEnd(0, of: client, "leaving")
      }
    }
  }

  @Test func nobodyPausesWhatIsNotThere() async {
    await Blocking.check {
      let vm = try TestVM()
      var findings: [String] = []
      for command in ["pause", "resume"] {
        let (code, answer) = try vm.answer(command)
        if code != 7 || answer["name"]?.text != vm.name { findings.append("\(command): \(answer)") }
      }
      try vm.run(["--memory", "32M"])
      for (pid, _) in try vm.machines() {
        try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
      }
      _ = try TestVM.wait { try vm.answer("status").code == 6 }
      for command in ["pause", "resume"] {
        let code = try vm.answer(command).code
        if code != 6 { findings.append("\(command) of a lost VM ended with \(code ?? -1)") }
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
