import FSRSystem
import FSRTestSupport
import Testing

/// Swap files that cannot become longer while they are copied, or could not before.
@Suite(.serialized) struct MirrorGrowthTests {
  /// Pages of the guest, which are more than a file has before it grows for the second time; and those it may keep.
  private static let (pages, limit) = (8192.0, 2048.0)

  private static func check(
    under plan: String, _ body: @escaping @Sendable (borrowing PagedVM) throws -> [String]
  ) async {
    let findings = await Blocking.run { () -> [String] in
      do {
        let paged = try PagedVM()
        try paged.run(memory: "32M", resident: "8M", ["--compression", "off", "--swap-fault", plan])
        var findings = try body(paged)
        let (code, answer) = try paged.handOver([])
        if code != 0 { findings.append("the next handoff: \(answer)") }
        findings += try paged.findingsAtRest(pages: pages, limit: limit)
        return findings + (try paged.guestFindings()) + (try paged.stopped())
      } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(finding)") }
  }

  /// Each step down to the smallest fails once; then there is room again.
  @Test(arguments: ["grow:2-8:ENOSPC", "grow:2:EIO", "grow:2:EROFS"])
  func whereTheFileFirstCannotGrowWhileItIsCopiedTheHandoffIsCalledOff(plan: String) async {
    await Self.check(under: plan) { paged in
      try paged.waitForSlots(500)
      var file = "swap"
      for attempt in 1...5 {
        let next = "next-\(attempt)"
        // Slower than the guest, which goes over all of its memory.
        let result = try paged.vm.fsr(
          ["handoff", paged.vm.name, "--timeout", "5m"] + paged.mirroring(to: next, rate: "64K"))
        if result.code == 0 {
          // It hardly had a processor, and the copy was made before it needed a longer file: again, from where it is.
          file = next
          continue
        }
        let isRight =
          result.code == 4 && result.complainsOnce && result.errors.contains("by plan")
          && result.errors.contains("the file that is copied failed")
        return (isRight ? [] : ["\(result)"]) + (try paged.fileFindings(using: file))
      }
      return ["no copy met a file that cannot grow"]
    }
  }

  @Test func whereItCouldNotBeforeAnotherDiskIsAWayOut() async {
    // The new file is the next VMM's own, and its plan begins anew: it grows once.
    await Self.check(under: "grow:2+:ENOSPC") { paged in
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
