import FSRSystem
import FSRTestSupport
import Testing

/// Swap files that cannot become longer while they are copied, or could not before: the second time they grow fails.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere && hasUserFault())) struct MirrorGrowthTests {
  private static func check(
    under plan: String, _ body: @escaping @Sendable (borrowing PagedVM) throws -> [String]
  ) async {
    await Blocking.check {
      let paged = try PagedVM()
      try GrowingGuest.start(paged, ["--swap-fault", plan])
      var findings = try body(paged)
      let (code, answer) = try paged.handOver([])
      if code != 0 { findings.append("the next handoff: \(answer)") }
      findings += try paged.findingsAtRest(pages: GrowingGuest.pages, limit: GrowingGuest.limit)
      if try !paged.vm.advances() { findings.append("the guest stands still: \(try paged.status())") }
      return findings + (try paged.stopped())
    }
  }

  /// Each step down to the smallest fails once; then there is room again.
  @Test(arguments: ["grow:2-8:ENOSPC", "grow:2:EIO", "grow:2:EROFS"])
  func whereTheFileFirstCannotGrowWhileItIsCopiedTheHandoffIsCalledOff(plan: String) async {
    await Self.check(under: plan) { paged in
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      // More than a minute of copying.
      let child = try paged.startMirroring(to: "next", rate: "64K", ["--timeout", "5m"], output: output)
      try GrowingGuest.grow(paged)
      let status = try child.ended()
      let said = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 16), as: UTF8.self)
      let isRight =
        status == .exited(4) && said.contains("the file that is copied failed") && said.contains("by plan")
      return (isRight ? [] : ["it ended with \(String(describing: status)): \(said)"])
        + (try paged.fileFindings(using: "swap"))
    }
  }

  @Test func whereItCouldNotBeforeAnotherDiskIsAWayOut() async {
    // The new file is the next VMM's own, and its plan begins anew: it grows once.
    await Self.check(under: "grow:2+:ENOSPC") { paged in
      try GrowingGuest.grow(paged)
      let isFull = try TestVM.wait {
        try paged.status()["paging"]?["trouble"]?.text?.contains("full") == true
      }
      var findings = isFull ? [] : ["the disk is not full: \(try paged.status())"]
      let (code, answer) = try paged.handOver(paged.mirroring(to: "next"))
      if code != 0 { findings.append("\(answer)") }
      findings += try paged.fileFindings(using: "next")
      try paged.waitForSlots(4097)
      return findings
    }
  }
}
