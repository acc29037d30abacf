import FSRSystem
import FSRTestSupport
import Testing

/// `fsr handoff --swap mirrored`: a guest whose swapped pages move to another file while they come and go.
@Suite(.serialized) struct MirrorTests {
  /// What a good handoff's answer says of the swap file.
  private static func findings(_ answer: (code: Int32?, value: JSONValue), isMirrored: Bool) -> [String] {
    let swap = answer.value["swap"]
    var findings: [String] = []
    if answer.code != 0 || answer.value["victor"]?.text != "destination" {
      findings.append("it ended with \(answer.code ?? -1)")
    }
    if swap?["mode"]?.text != (isMirrored ? "mirrored" : "shared") { findings.append("another mode") }
    let copied = swap?["bytes_copied"]?.number ?? -1
    if (copied > 0) != isMirrored || copied < 0 || copied.truncatingRemainder(dividingBy: 4096) != 0 {
      findings.append("\(copied) bytes were copied")
    }
    return findings.map { "\($0): \(answer.value)" }
  }

  @Test func everyPageGoesAlongFromFileToFile() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(["--compression", "1M"])
      var findings: [String] = []
      var name = "swap"
      for round in 1...6 {
        try paged.waitForEvictions(2000)
        let isMirrored = round % 2 == 0
        if isMirrored { name = "swap-\(round)" }
        let answer = try paged.handOver(isMirrored ? paged.mirroring(to: name) : [])
        var found = Self.findings(answer, isMirrored: isMirrored)
        found += try paged.fileFindings(using: name) + paged.guestFindings()
        findings += found.map { "round \(round): \($0)" }
      }
      try paged.waitForEvictions(2000)
      findings += try paged.findingsAtRest(pages: 16384, limit: 4096)
      findings += try paged.guestFindings()
      return findings + (try paged.stopped())
    }
  }

  @Test func aFileThatWasThereStaysWhereverTheGuestIs() async {
    await Blocking.check {
      let paged = try PagedVM()
      _ = try paged.place.directory.openFile("own", .createNew)
      try paged.run(["--compression", "1M"])
      var findings: [String] = []
      // A failed one leaves it, to be used at once.
      for step in ["prepare", "awaitComplete", "takeStorage", "verify"] {
        try paged.waitForSlots(1000)
        let off = try paged.handOver(paged.mirroring(to: "own") + ["--fault", "destination:\(step):kill"])
        if off.code != 4 { findings.append("\(step): \(off)") }
        findings += try paged.fileFindings(using: "swap", kept: ["own"]).map { "\(step): \($0)" }
      }
      findings += Self.findings(try paged.handOver(paged.mirroring(to: "own")), isMirrored: true)
      findings += try paged.fileFindings(using: "own")
      try paged.waitForEvictions(1000)
      findings += Self.findings(try paged.handOver(paged.mirroring(to: "made")), isMirrored: true)
      findings += try paged.fileFindings(using: "made", kept: ["own"])
      try paged.waitForEvictions(1000)
      // What it holds are pages of this VM, and of no use to anybody.
      findings += Self.findings(try paged.handOver(paged.mirroring(to: "own")), isMirrored: true)
      findings += try paged.fileFindings(using: "own") + paged.guestFindings()
      findings += try paged.vm.stopped()
      let left = try paged.place.directory.names(limit: 10)
      return findings + (left == ["own"] ? [] : ["\(left) is left"])
    }
  }

  @Test(arguments: [("/dev/shm", "/tmp"), ("/tmp", "/dev/shm")])
  func itGoesToAnotherFileSystem(from: String, to: String) async {
    await Blocking.check {
      let paged = try PagedVM(under: from)
      let other = try TemporaryDirectory(under: to)
      try paged.run(["--compression", "1M"])
      var findings: [String] = []
      try paged.waitForSlots(1000)
      let there = other.path + "/swap"
      findings += Self.findings(try paged.handOver(paged.mirroring(to: there)), isMirrored: true)
      findings += try paged.fileFindings(using: there) + paged.guestFindings()
      try paged.waitForEvictions(1000)
      findings += Self.findings(try paged.handOver(paged.mirroring(to: "back")), isMirrored: true)
      findings += try paged.fileFindings(using: "back")
      findings += try other.directory.names(limit: 10).map { "\($0) is left" }
      try paged.waitForEvictions(1000)
      findings += try paged.findingsAtRest(pages: 16384, limit: 4096)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func aPausedGuestsPagesAreCopiedToo() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(["--compression", "1M"])
      try paged.waitForSlots(1000)
      var findings: [String] = []
      _ = try paged.vm.pause()
      findings += Self.findings(try paged.handOver(paged.mirroring(to: "next")), isMirrored: true)
      findings += try paged.fileFindings(using: "next")
      if try paged.status()["state"]?.text != "paused" {
        findings.append("not paused: \(try paged.status())")
      }
      _ = try paged.vm.answer("resume")
      try paged.waitForEvictions(1000)
      findings += try paged.findingsAtRest(pages: 16384, limit: 4096)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func theFileInUseIsNoCopyOfItself() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(["--compression", "1M"])
      try paged.waitForSlots(1000)
      var findings: [String] = []
      findings += Self.findings(try paged.handOver(paged.mirroring(to: "next")), isMirrored: true)
      for name in ["next", "./next"] {
        let result = try paged.vm.fsr(["handoff", paged.vm.name] + paged.mirroring(to: name))
        if result.code != 3 || result.errorLines.count != 1 || !result.errors.contains("already") {
          findings.append("\(result)")
        }
        findings += try paged.fileFindings(using: "next")
      }
      findings += Self.findings(try paged.handOver([]), isMirrored: false)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func answerHistoryAndTraceTellOfTheCopy() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(["--compression", "1M"])
      try paged.waitForSlots(1000)
      var findings: [String] = []
      let trace = try TemporaryDirectory()
      let answer = try paged.handOver(paged.mirroring(to: "next") + ["--trace", trace.path + "/trace"])
      findings += Self.findings(answer, isMirrored: true)
      let slots = answer.value["swap"]?["slots"]?.number ?? 0
      if slots < 1000 { findings.append("\(slots) slots: \(answer)") }
      let told = answer.value["phases"]?.elements.compactMap { $0["name"]?.text } ?? []
      if told.prefix(5) != ["start", "negotiate", "prepare", "precopy", "quiesce"] {
        findings.append("phases \(told)")
      }
      let plain = try paged.handOver([])
      if plain.value.keys != answer.value.keys { findings.append("other keys: \(plain), \(answer)") }
      let history = try paged.vm.answer("history").value["handoffs"]?.elements.first
      if history?["phases"]?.elements.contains(where: { $0["name"]?.text == "precopy" }) != true {
        findings.append("history: \(String(describing: history))")
      }
      let text = try trace.directory.openFile("trace", .read).readAll(limit: 1 << 20)
      let events =
        try JSONValue(parsing: String(decoding: text, as: UTF8.self))["traceEvents"]?.elements ?? []
      if events.count(where: { $0["name"]?.text == "precopy" && $0["ph"]?.text == "X" }) != 1 {
        findings.append("trace: \(events)")
      }
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func noMoreIsCopiedASecondThanIsAllowed() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "16M", resident: "8M", ["--compression", "off"])
      try paged.waitForSlots(500)
      var findings: [String] = []
      let rate: Double = 8_388_608
      let answer = try paged.handOver(paged.mirroring(to: "next", rate: "8M"))
      findings += Self.findings(answer, isMirrored: true)
      let phase = answer.value["phases"]?.elements.first { $0["name"]?.text == "precopy" }
      let seconds = (phase?["duration_us"]?.number ?? 0) / 1e6
      let copied = answer.value["swap"]?["bytes_copied"]?.number ?? 0
      // The first part, of a twentieth of a second, is not waited for.
      if seconds < copied / rate - 0.05 { findings.append("\(copied) bytes in \(seconds) s: \(answer)") }
      findings += try paged.fileFindings(using: "next")
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  /// As root another user's; else the own.
  @Test(.enabled(if: PagedVM.canBeWithoutRights)) func whoHasNoRightsMovesPagesToo() async {
    await Blocking.check {
      let result = try PagedVM.withoutRights(
        """
        for i in 1 2 3; do
          until fsr status vm --json | grep -q '"used":[0-9][0-9][0-9]'; do sleep 0.02; done
          fsr handoff vm --max-downtime 5s --swap mirrored --swap-file own/swap$i --json |
            sed 's/.*"victor":"\\([a-z]*\\)".*/\\1/'
          ls own
        done
        until fsr status vm --json | grep -q '"evictions":[0-9][0-9][0-9][0-9]'; do sleep 0.02; done
        until fsr status vm --json | grep -o '"errors":[0-9][0-9]*'; do sleep 0.02; done
        fsr stop vm >/dev/null; ls own
        """)
      let rounds = (1...3).map { "destination\nswap\($0)\nvms\n" }.joined()
      return result.output == rounds + "\"errors\":0\nvms\n" && result.code == 0 ? [] : ["\(result)"]
    }
  }
}
