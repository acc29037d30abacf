import FSRSystem
import FSRTestSupport
import Testing

/// A swap file that fails: the guest sees no wrong byte, and goes on as far as that can be.
@Suite(.serialized) struct SwapFailureTests {
  /// A coarse sweep, with operations of all the guest's life: `SwapSweepTests` tries each one, in one process.
  ///
  /// Reads fail for seven times in a row at most: where all of them are one page's, the eighth would pause the guest.
  private static let passing =
    [1, 2, 3, 5, 8, 13, 34, 89, 233, 610, 1597].enumerated().map { index, number in
      index % 2 == 0
        ? "write:\(number):ENOSPC,read:\(number):EIO" : "write:\(number):EIO,read:\(number):ENOSPC"
    } + ["write:100-140:EROFS,read:100-106:EIO", "grow:1:ENOSPC,write:20:EDQUOT,grow:2:EDQUOT,read:9:EIO"]

  @Test func whatPassesChangesNothing() async {
    await Blocking.check {
      var findings: [String] = []
      var count = 0
      for plan in Self.passing {
        let paged = try PagedVM()
        try paged.run(memory: "32M", resident: "8M", ["--compression", "off", "--swap-fault", plan])
        count += try paged.waitForFailures(2)
        // Its plan begins anew in the destination.
        let (code, answer) = try paged.vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("\(plan): \(answer)") }
        count += try paged.waitForFailures(2)
        findings += try paged.findingsAtRest(pages: 8192, limit: 2048).map { "\(plan): \($0)" }
        findings += try paged.guestFindings().map { "\(plan): \($0)" }
        findings += try paged.stopped().map { "\(plan): \($0)" }
      }
      print("\(Self.passing.count) plans, \(count) operations failed")
      return findings
    }
  }

  @Test(arguments: ["write:1+:ENOSPC", "write:500+:EIO", "write:500+:EROFS", "grow:1+:ENOSPC"])
  func whereNothingCanBeWrittenTheGuestKeepsItsPages(plan: String) async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "32M", resident: "8M", ["--compression", "off", "--swap-fault", plan])
      var findings: [String] = []
      let isSaid = try TestVM.wait {
        let status = try paged.status()
        let resident = status["memory"]?["resident_pages"]?.number ?? 0
        return status["paging"]?["trouble"]?.text != nil && resident > 2048 + PagedVM.overshoot
      }
      if !isSaid { findings.append("\(plan): nothing is said: \(try paged.status())") }
      findings += try paged.guestFindings()
      let (code, answer) = try paged.vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("\(plan): \(answer)") }
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func aPageThatCannotBeReadPausesTheGuestWithTheReason() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(
        memory: "32M", resident: "8M", ["--compression", "off", "--swap-fault", "read:20+:EIO"])
      var findings: [String] = []
      func isPaused() throws -> Bool {
        try TestVM.wait {
          let status = try paged.status()
          return status["state"]?.text == "paused" && status["paging"]?["trouble"]?.text != nil
        }
      }
      if try !isPaused() { findings.append("not paused: \(try paged.status())") }
      let resumed = try paged.vm.fsr(["resume", paged.vm.name])
      if resumed.code != 0 { findings.append("resume: \(resumed)") }
      if try !isPaused() { findings.append("not paused again: \(try paged.status())") }
      // It is paused, and stays it for who asks for that.
      let paused = try paged.vm.fsr(["pause", paged.vm.name])
      if try paused.code != 0 || !isPaused() { findings.append("pause: \(paused), \(try paged.status())") }
      // A vCPU that waits for a page cannot be stopped.
      for command in ["check", "handoff"] {
        let (code, answer) = try paged.vm.answer(command)
        let blocker = answer["blockers"]?.elements.first
        let isSaid =
          blocker?["what"]?.text?.contains("cannot be read from the swap file") == true
          && blocker?["remedy"]?.text?.contains("fsr resume \(paged.vm.name)") == true
        if code != 3 || blocker?["code"]?.text != "page" || !isSaid {
          findings.append("\(command): \(code as Any) \(answer)")
        }
      }
      // Nor is anybody held up by it who ends the VM.
      for (pid, _) in try paged.vm.machines() {
        try ProcessTable.signal(SignalNumber.terminate, pid: pid, of: paged.vm.name)
      }
      if try !TestVM.wait(until: { try paged.vm.machines().isEmpty }) { findings.append("it does not end") }
      return findings + (try paged.vm.remains()) + (try paged.place.directory.names(limit: 10))
    }
  }
}
