import FSRSystem
import FSRTestSupport
import Testing

/// `--if-needed` with a swap file: whether that one is in use counts as much as the build.
@Suite(.serialized) struct IfNeededTests {
  @Test func anotherSwapFileIsAReasonForAHandoff() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run()
      try paged.waitForSlots(100)
      var findings: [String] = []
      let wish = paged.mirroring(to: "other") + ["--if-needed"]
      let check = try paged.vm.answer("check", wish)
      if check.code != 0 || check.value["reason"] != .null { findings.append("check: \(check)") }
      let moved = try paged.handOver(wish)
      if moved.code != 0 || moved.value["victor"]?.text != "destination" { findings.append("\(moved)") }
      findings += try paged.fileFindings(using: "other")
      // By whatever name: that file is in use now.
      for name in ["other", "../\(paged.place.path.split(separator: "/").last ?? "")/other"] {
        let again = try paged.handOver(paged.mirroring(to: name) + ["--if-needed"])
        if again.code != 0 || again.value["reason"]?.text?.contains("already") != true {
          findings.append("\(name): \(again)")
        }
        let check = try paged.vm.answer("check", paged.mirroring(to: name) + ["--if-needed"])
        if check.code != 0 || check.value["reason"]?.text?.contains("already") != true {
          findings.append("\(name): \(check)")
        }
      }
      let generation = try paged.status()["generation"]?.number
      if generation != 2 { findings.append("it was handed over again: generation \(generation ?? 0)") }
      findings += try paged.fileFindings(using: "other") + paged.guestFindings()
      return findings + (try paged.stopped())
    }
  }

  @Test func aVMWithoutSwapFileIsRefusedOne() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      var findings: [String] = []
      let wish = ["--swap", "mirrored", "--swap-file", "/dev/shm/none-\(vm.name)", "--if-needed"]
      for (command, due) in [("check", [3]), ("handoff", [3, 4])] as [(String, [Int32])] {
        let (code, answer) = try vm.answer(command, wish)
        if !due.contains(code ?? -1) { findings.append("\(command) ended with \(code ?? -1): \(answer)") }
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
