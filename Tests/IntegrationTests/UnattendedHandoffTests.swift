import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// A long handoff whose coordinator has died: it goes on by itself, and nobody is advised to call it off unknowingly.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
struct UnattendedHandoffTests {
  /// Runs `body` while a swap file is copied and nobody coordinates it.
  private static func check(_ body: @escaping @Sendable (borrowing PagedVM) throws -> [String]) async {
    await Blocking.check {
      let paged = try PagedVM()
      try ColdGuest.start(paged)
      // Sixteen seconds of copying at least, more than twice what a recovery gives a handoff that does nothing.
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "256K", output: output)
      _ = try child.process.signal(SignalNumber.kill)
      _ = try child.ended()
      return try body(paged) + paged.stopped()
    }
  }

  @Test func itIsSaidThatItGoesOnByItselfAndARecoveryWaitsForIt() async {
    await Self.check { paged in
      var findings: [String] = []
      for command in ["check", "handoff"] {
        let (code, answer) = try paged.vm.answer(command)
        let reason = answer["reason"]?.text ?? ""
        if code != 3 || answer["blockers"]?.elements.first?["code"]?.text != "busy"
          || !reason.contains("under way by itself")
          || !reason.contains("`fsr abort \(paged.vm.name) --runtime-dir")
        {
          findings.append("\(command): \(code as Any) \(answer)")
        }
      }
      let (code, answer) = try paged.vm.answer("recover")
      if code != 0 || answer["owner"]?.text != "destination" { findings.append("recover: \(answer)") }
      return findings + (try paged.fileFindings(using: "next")) + (try ColdGuest.findingsAtEnd(paged))
    }
  }

  @Test func whoInterruptsARecoveryDoesNotCallItOff() async {
    await Self.check { paged in
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let recovery = try paged.vm.start("recover", [], output: output)
      let hasBegun = try TestVM.wait { try !paged.vm.isUnlocked() }
      _ = try recovery.process.signal(SignalNumber.interrupt)
      let status = try recovery.ended()
      var findings =
        hasBegun && status == .exited(3) ? [] : ["recover ended with \(String(describing: status))"]
      let (code, answer) = try paged.vm.answer("recover")
      if code != 0 || answer["owner"]?.text != "destination" { findings.append("recover: \(answer)") }
      return findings
    }
  }

  @Test func anAbortCallsItOff() async {
    await Self.check { paged in
      let (code, answer) = try paged.vm.answer("abort")
      let findings = code == 0 && answer["owner"]?.text == "source" ? [] : ["abort: \(code as Any) \(answer)"]
      // The source removes its copy by itself, a moment after it was decided.
      _ = try TestVM.wait { try paged.fileFindings(using: "swap").isEmpty }
      return findings + (try paged.fileFindings(using: "swap"))
    }
  }

  @Test func oneThatTheVMsStopCallsOffDoesNotSayThatTheSourceRuns() async {
    await Blocking.check {
      let paged = try PagedVM()
      try ColdGuest.start(paged)
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "64K", output: output)
      var findings = try paged.stopped()
      let status = try child.ended()
      let said = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 16), as: UTF8.self)
      if status != .exited(4) || said.contains("the source runs")
        || !said.contains("was called off: the VM was told to stop")
      {
        findings.append("handoff ended with \(String(describing: status)): \(said)")
      }
      return findings
    }
  }
}
