import FSRSystem
import FSRTestSupport
import Testing

/// Copies of a swap file that fail at their n-th operation: the handoff is called off, and nothing else happens.
@Suite(.serialized) struct MirrorFailureTests {
  /// How a mirrored handoff with a plan of failures went.
  private struct Trial {
    var isCopied = false
    var findings: [String] = []

    /// - Parameter rate: what slows the copying down, so that the guest writes meanwhile.
    init(_ plan: String, rate: String? = nil, says: String) throws {
      let paged = try PagedVM()
      try paged.run(memory: "8M", resident: "4M", ["--compression", "off", "--swap-fault", plan])
      try paged.waitForSlots(500)
      let before = try paged.status()["pid"]
      // The plan begins anew with each copy.
      for _ in 1...2 {
        let result = try paged.vm.fsr(
          ["handoff", paged.vm.name, "--max-downtime", "5s"] + paged.mirroring(to: "next", rate: rate))
        isCopied = result.code == 0
        if isCopied { break }
        // Refused where it shows before anything is begun, as a disk without room does.
        if ![3, 4].contains(result.code) || !result.complainsOnce || !result.errors.contains(says)
          || !result.errors.contains("by plan")
        {
          findings.append("\(result)")
        }
      }
      let after = try paged.status()["pid"]
      if (before == after) == isCopied { findings.append("\(before as Any) became \(after as Any)") }
      findings += try paged.fileFindings(using: isCopied ? "next" : "swap")
      let (code, answer) = try paged.handOver([])
      if code != 0 { findings.append("the next handoff: \(answer)") }
      try paged.waitForEvictions(500)
      findings += try paged.findingsAtRest(pages: 2048, limit: 1024)
      findings += try paged.guestFindings() + paged.stopped()
    }
  }

  private struct Case: Sendable {
    let plan: String
    var rate: String?
    let says: String
    /// Nil where it depends on how much is copied, and written meanwhile.
    let isCopied: Bool?
  }

  private static func check(_ cases: [Case]) async {
    let findings = await Trials.findings(of: cases) { one in
      do {
        let trial = try Trial(one.plan, rate: one.rate, says: one.says)
        var findings = trial.findings
        if let due = one.isCopied, trial.isCopied != due {
          findings.append(due ? "it is called off" : "nothing comes of it")
        }
        return findings.map { "\(one.plan): \($0)" }
      } catch { return ["\(one.plan): \(error)"] }
    }
    for finding in findings { Issue.record("\(finding)") }
  }

  @Test func whicheverPartCannotBeCopied() async {
    // More parts than pages there are not.
    let cases = [1, 2, 3, 8, 64, 256, 2305].map { number in
      Case(
        plan: "copy-move:\(number):EIO", says: "Input/output error",
        isCopied: number == 1 ? false : number > 2304 ? true : nil)
    }
    await Self.check(cases)
  }

  @Test func whicheverWriteTheCopyRefuses() async {
    await Self.check(
      [1, 2, 5, 20].map { number in
        Case(
          plan: "copy-write:\(number):EIO", rate: "1M", says: "Input/output error",
          isCopied: number == 1 ? false : nil)
      } + [
        Case(plan: "copy-write:1+:ENOSPC", rate: "1M", says: "No space left", isCopied: false),
        Case(plan: "copy-write:3+:EDQUOT", rate: "1M", says: "quota", isCopied: nil),
      ])
  }

  @Test func whereTheCopyCannotGrow() async {
    await Self.check([
      Case(plan: "copy-grow:1:ENOSPC", says: "No space left", isCopied: false),
      Case(plan: "copy-grow:1+:EDQUOT", says: "quota", isCopied: false),
      Case(plan: "copy-grow:2:ENOSPC", says: "No space left", isCopied: nil),
      Case(plan: "copy-move:1+:EROFS", says: "Read-only", isCopied: false),
    ])
  }

  /// Each of them alone, whichever of them comes while the file is copied.
  private static let writes = (0..<8).map { "write:\(5000 << $0):EIO" }.joined(separator: ",")

  /// The pager tries such a write again, but what the copy has is not to be trusted.
  @Test(.enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
  func aWriteThatTheOriginalRefusesCallsItOff() async {
    await Blocking.check {
      let paged = try PagedVM()
      try ColdGuest.start(paged, ["--swap-fault", Self.writes])
      var findings: [String] = []
      let first = try paged.vm.fsr(
        ["handoff", paged.vm.name, "--timeout", "60s"] + paged.mirroring(to: "next", rate: "64K"))
      if first.code != 4 || !first.complainsOnce
        || !first.errors.contains("the file that is copied failed")
      {
        findings.append("\(first)")
      }
      findings += try paged.fileFindings(using: "swap")
      let (code, answer) = try paged.handOver([])
      if code != 0 { findings.append("the next handoff: \(answer)") }
      return findings + (try ColdGuest.findingsAtEnd(paged)) + (try paged.stopped())
    }
  }

  /// The VM would live on a file that nobody finds any more.
  @Test(arguments: [false, true]) func aCopyThatLosesItsNameCallsItOff(isReplaced: Bool) async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "16M", resident: "8M", ["--compression", "off"])
      try paged.waitForSlots(500)
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "256K", output: output)
      try paged.place.directory.unlink("next")
      if isReplaced { _ = try paged.place.directory.openFile("next", .createNew) }
      let status = try child.ended()
      let said = try place.directory.openFile("output", .read).readAll(limit: 1 << 16)
      let text = String(decoding: said, as: UTF8.self)
      var findings = status == .exited(4) && text.contains("/next") ? [] : ["\(status as Any): \(text)"]
      findings += try paged.fileFindings(using: "swap", kept: isReplaced ? ["next"] : [])
      let (code, answer) = try paged.handOver(paged.mirroring(to: "another"))
      if code != 0 { findings.append("the next handoff: \(answer)") }
      findings += try paged.guestFindings() + paged.vm.stopped()
      if isReplaced { try paged.place.directory.unlink("next") }
      return findings + (try paged.place.directory.names(limit: 10).map { "\($0) is left" })
    }
  }
}
