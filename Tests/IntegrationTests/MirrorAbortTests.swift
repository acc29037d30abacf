import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// What comes between while a swap file is copied, so slowly that nothing comes to its end by itself.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
struct MirrorAbortTests {
  private static func text(_ place: borrowing TemporaryDirectory) throws -> String {
    let bytes = try place.directory.openFile("output", .read).readAll(limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A handoff that goes well, and the guest's word that all of its pages are what they were.
  private static func findingsAtEnd(_ paged: borrowing PagedVM, using name: String) throws -> [String] {
    let (code, answer) = try paged.handOver(paged.mirroring(to: name))
    var findings = code == 0 ? [] : ["\(answer)"]
    findings += try paged.fileFindings(using: name)
    try paged.waitForEvictions(2000)
    return findings + (try ColdGuest.findingsAtEnd(paged)) + (try paged.vm.stopped())
  }

  @Test func anAbortAtAnyMomentLeavesTheGuestWithItsFile() async {
    await Blocking.check {
      let paged = try PagedVM()
      try ColdGuest.start(paged)
      var random = SeededGenerator(seed: 20)
      var findings: [String] = []
      let before = try paged.status()["pid"]
      for round in 1...20 where findings.isEmpty {
        let place = try TemporaryDirectory()
        let output = try place.directory.openFile("output", .append)
        let rate = ["64K", "128K", "256K"].randomElement(using: &random) ?? "64K"
        let child = try paged.vm.startHandoff(
          ["--timeout", "60s", "--max-downtime", "5s"] + paged.mirroring(to: "next", rate: rate),
          output: output)
        MonotonicClock.sleep(UInt64.random(in: 0...250_000_000, using: &random))
        // One that comes before there is anything to abort comes again.
        let isAborted = try TestVM.wait {
          try paged.vm.answer("abort").code == 0 || ProcessTable.state(of: child.pid) == .dead
        }
        let status = try child.ended()
        if !isAborted || status != .exited(4) {
          findings.append("handoff ended with \(status as Any): \(try Self.text(place))")
        }
        findings += try paged.fileFindings(using: "swap").map { "\(round): \($0)" }
      }
      if try paged.status()["pid"] != before { findings.append("another process runs it") }
      findings += try Self.findingsAtEnd(paged, using: "next")
      return findings + (try paged.place.directory.names(limit: 10).map { "\($0) is left" })
    }
  }

  /// The file is let go of before the handoff says that it is over.
  @Test(arguments: [false, true]) func aFileOfTheUsersCanBeTakenAgainAtOnce(isPaused: Bool) async {
    await Blocking.check {
      let paged = try PagedVM()
      _ = try paged.place.directory.openFile("own", .createNew)
      try ColdGuest.start(paged)
      var findings: [String] = []
      // Whose swap file is at rest.
      if isPaused { _ = try paged.vm.pause() }
      for round in 1...5 {
        let place = try TemporaryDirectory()
        let output = try place.directory.openFile("output", .append)
        let child = try paged.startMirroring(to: "own", rate: "256K", output: output)
        _ = try child.process.signal(SignalNumber.interrupt)
        let status = try child.ended()
        if status != .exited(4) {
          findings.append("\(round): it ended with \(status as Any): \(try Self.text(place))")
        }
        findings += try paged.fileFindings(using: "swap", kept: ["own"])
      }
      if isPaused { _ = try paged.vm.answer("resume") }
      findings += try Self.findingsAtEnd(paged, using: "own")
      let left = try paged.place.directory.names(limit: 10)
      return findings + (left == ["own"] ? [] : ["\(left) is left"])
    }
  }

  enum Ending: CaseIterable {
    case command
    case signal
    case death
    case guest
  }

  @Test(arguments: Ending.allCases) func anEndOfTheVMMeanwhileLeavesNothing(_ ending: Ending) async {
    await Blocking.check {
      let paged = try PagedVM()
      try ColdGuest.start(paged)
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "64K", output: output)
      guard let pid = try paged.vm.newestBlock()?.identity(of: .source)?.pid else {
        throw Unexpected("nobody runs it")
      }
      var findings: [String] = []
      switch ending {
      case .command:
        let result = try paged.vm.fsr(["stop", paged.vm.name])
        if result.code != 0 { findings.append("stop: \(result)") }
      case .signal: try ProcessTable.signal(SignalNumber.terminate, pid: pid, of: paged.vm.name)
      case .death: try ProcessTable.signal(SignalNumber.kill, pid: pid, of: paged.vm.name)
      case .guest: findings += try ColdGuest.findingsAtEnd(paged)
      }
      let status = try child.ended()
      let due: Int32 = ending == .death ? 6 : 4
      if status != .exited(due) { findings.append("it ended with \(status as Any): \(try Self.text(place))") }
      switch ending {
      case .command, .signal:
        let isGone = try TestVM.wait { try paged.vm.remains().isEmpty }
        if !isGone { findings += try paged.vm.remains() }
      case .death: findings += try paged.vm.stopped()
      case .guest:
        let names = try paged.place.directory.names(limit: 10)
        if names.contains("next") { findings.append("\(names) are left") }
        findings += try paged.vm.stopped()
      }
      return findings + (try paged.place.directory.names(limit: 10).map { "\($0) is left" })
    }
  }

  @Test func aGuestMayBePausedMeanwhile() async {
    await Blocking.check {
      let paged = try PagedVM()
      try ColdGuest.start(paged)
      var findings: [String] = []
      // Once called off, once brought to its end.
      for (round, rate) in ["64K", "8M"].enumerated() {
        let place = try TemporaryDirectory()
        let output = try place.directory.openFile("output", .append)
        let child = try paged.startMirroring(to: "next", rate: rate, output: output)
        for command in ["pause", "resume", "pause"] {
          let result = try paged.vm.fsr([command, paged.vm.name])
          if result.code != 0 { findings.append("\(command): \(result)") }
        }
        if round == 0 { _ = try child.process.signal(SignalNumber.interrupt) }
        let status = try child.ended()
        if status != .exited(round == 0 ? 4 : 0) {
          findings.append("it ended with \(status as Any): \(try Self.text(place))")
        }
        let state = try paged.status()["state"]?.text
        if state != "paused" { findings.append("it is \(state as Any)") }
        findings += try paged.fileFindings(using: round == 0 ? "swap" : "next")
        _ = try paged.vm.answer("resume")
        try paged.waitForEvictions(1000)
      }
      findings += try ColdGuest.findingsAtEnd(paged)
      return findings + (try paged.stopped())
    }
  }
}
