import FSRSystem
import FSRTestSupport
import Testing

/// Guests that are larger than their memory, handed over while their pages come and go.
@Suite(.serialized) struct PagingTests {
  static let rounds = 5

  @Test(arguments: ["/tmp", "/dev/shm"])
  func aGuestLargerThanItsMemoryLosesNothingOnItsWay(root: String) async {
    await Blocking.check {
      let paged = try PagedVM(under: root)
      try paged.run(memory: "256M", resident: "64M", vcpus: 4)
      var findings: [String] = []
      for round in 1...Self.rounds {
        try paged.waitForEvictions(2000)
        let (code, answer) = try paged.vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff \(round): \(answer)") }
        if answer["swap"]?["mode"]?.text != "shared" { findings.append("handoff \(round): \(answer)") }
      }
      try paged.waitForEvictions(2000)
      findings += try paged.findingsAtRest(pages: 65536, limit: 16384)
      findings += try paged.guestFindings()
      return findings + (try paged.stopped())
    }
  }

  @Test func withoutACacheAllGoesToTheFile() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(["--compression", "off"])
      try paged.waitForEvictions(5000)
      var findings: [String] = []
      let (code, answer) = try paged.vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("\(answer)") }
      findings += try paged.findingsAtRest(pages: 16384, limit: 4096)
      let status = try paged.status()
      if status["memory"]?["compressed_pages"]?.number != 0 { findings.append("\(status)") }
      let isTold = try TestVM.wait { try paged.status()["paging"]?["faults_per_second"]?.number ?? 0 > 0 }
      if !isTold { findings.append("no faults a second: \(try paged.status())") }
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func reservedMemoryIsNotPaged() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(["--reserve", "4M"])
      try paged.waitForEvictions(5000)
      var findings: [String] = []
      for _ in 0..<2 {
        let (code, answer) = try paged.vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("\(answer)") }
      }
      try paged.waitForEvictions(1000)
      findings += try paged.findingsAtRest(pages: 16384, limit: 4096)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func aFileThatWasThereStaysAndIsTakenAgain() async {
    await Blocking.check {
      let paged = try PagedVM()
      _ = try paged.place.directory.openFile("swap", .createNew)
      var findings: [String] = []
      for _ in 0..<2 {
        try paged.run()
        try paged.waitForEvictions(1000)
        findings += try paged.vm.stopped()
      }
      let left = try paged.place.directory.names(limit: 10)
      return findings + (left == ["swap"] ? [] : ["\(left) is left"])
    }
  }

  @Test func theFileOfAVMThatIsLostGoesWithIt() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run()
      try paged.waitForEvictions(1000)
      for (pid, _) in try paged.vm.machines() {
        try ProcessTable.signal(SignalNumber.kill, pid: pid, of: paged.vm.name)
      }
      _ = try TestVM.wait { try paged.vm.machines().isEmpty }
      return try paged.stopped()
    }
  }

  @Test func aGuestThatIsCalledBackGoesOnPaging() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run()
      var findings: [String] = []
      for step in ["prepare", "takeStorage", "verify"] {
        try paged.waitForEvictions(1000)
        let (code, answer) = try paged.vm.answer(
          "handoff", ["--max-downtime", "5s", "--fault", "destination:\(step):kill"])
        if code != 4 { findings.append("\(step): \(answer)") }
      }
      try paged.waitForEvictions(1000)
      let (code, answer) = try paged.vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("\(answer)") }
      findings += try paged.findingsAtRest(pages: 16384, limit: 4096)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  /// The kernel shows whoever has no rights the faults of its own code only, which is all that a CPU in software takes.
  @Test(.enabled(if: PagedVM.canBeWithoutRights)) func whoHasNoRightsIsPagedToo() async {
    await Blocking.check {
      let result = try PagedVM.withoutRights(
        """
        for i in 1 2 3; do fsr handoff vm --max-downtime 5s --json | sed 's/.*"victor":"\\([a-z]*\\)".*/\\1/'; done
        until fsr status vm --json | grep -q '"evictions":[0-9][0-9][0-9][0-9]'; do sleep 0.05; done
        until fsr status vm --json | grep -o '"errors":[0-9][0-9]*'; do sleep 0.02; done
        fsr stop vm >/dev/null; ls own
        """)
      let expected = "destination\ndestination\ndestination\n\"errors\":0\nvms\n"
      return result.output == expected && result.code == 0 ? [] : ["\(result)"]
    }
  }
}
