import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// `fsr abort`, against handoffs of real processes.
@Suite(.serialized) struct AbortTests {
  @Test func aHundredAbortsAtRandomMomentsAgreeWithWhoRuns() async {
    await Blocking.check {
      var storm = try AbortStorm(seed: 2026)
      for index in 1...100 where storm.findings.count < 10 { try storm.abortOne(index) }
      return try storm.end()
    }
  }

  /// Where a party stands still when the abort comes, who runs the guest then, and how the abort ends.
  @Test(arguments: [
    ("coordinator:request:stop", Int32(0)), ("coordinator:takeCopies:stop", 0),
    ("coordinator:watch:stop,destination:prepare:stop", 0),
    ("coordinator:watch:kill,destination:prepare:stop", 0),
    ("source:startDestination:stop", 0), ("source:awaitPrepared:stop", 0), ("source:stun:stop", 0),
    ("source:race:stop,destination:claimVerify:stop", 0),
    ("destination:negotiate:stop", 0), ("destination:prepare:stop", 0), ("destination:awaitComplete:stop", 0),
    ("destination:claimVerify:stop", 0), ("destination:verify:stop", 0),
    ("destination:claimDestination:stop", 0), ("destination:resume:stop", 4), ("source:park:stop", 4),
    ("coordinator:watch:stop", 4), ("coordinator:bury:stop", 4),
  ])
  func anAbortWhileAPartyStandsStill(_ fault: String, _ code: Int32) async {
    await Blocking.check { try StandingAbort(fault).findings(expecting: code) }
  }

  @Test func withoutAHandoffNothingIsAborted() async {
    await Blocking.check {
      let vm = try TestVM()
      var findings: [String] = []
      let none = try vm.answer("abort")
      if none.code != 7 || none.value["name"]?.text != vm.name { findings.append("no VM: \(none)") }
      try vm.run(["--memory", "16M"])
      let pid = try vm.answer("status").value["pid"]
      let (code, answer) = try vm.answer("abort")
      let isClear = answer["reason"]?.text?.contains("no handoff of \(vm.name) is under way") ?? false
      if code != 4 || answer["owner"]?.text != "source" || answer["pid"] != pid || !isClear {
        findings.append("an idle VM: \(code ?? -1), \(answer)")
      }
      let handoff = try vm.fsr(["handoff", vm.name, "--max-downtime", "5s"])
      if handoff.code != 0 { findings.append("a handoff after it: \(handoff)") }
      let after = try vm.answer("abort")
      if after.code != 4 || after.value["owner"]?.text != "destination" {
        findings.append("after it: \(after)")
      }
      for (pid, _) in try vm.machines() { try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name) }
      _ = try TestVM.wait { try vm.machines().isEmpty }
      let lost = try vm.answer("abort")
      if lost.code != 6 { findings.append("a lost VM: \(lost)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func nobodyIsCalledOffWithoutASource() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let handoff = try vm.startHandoff(
        ["--timeout", "60s", "--max-downtime", "20s", "--fault", "source:race:kill,destination:verify:stop"],
        output: output)
      var findings: [String] = []
      let isStopped = try TestVM.wait { try vm.machines().values.sorted { "\($0)" < "\($1)" } == [.stopped] }
      if !isStopped { findings.append("the destination does not stop alone: \(try vm.machines())") }
      let (code, answer) = try vm.answer("abort")
      if code != 4 { findings.append("abort: \(code ?? -1), \(answer)") }
      try vm.letGo()
      let status = try handoff.ended()
      if status != .exited(0) { findings.append("handoff: \(status.map { "\($0)" } ?? "no end")") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
