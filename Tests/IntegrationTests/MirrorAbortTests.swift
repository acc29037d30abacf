import FSRSystem
import FSRTestSupport
import Testing

/// What comes between while a swap file is copied.
@Suite(.serialized) struct MirrorAbortTests {
  private static func check(_ body: @escaping @Sendable () throws -> [String]) async {
    let findings = await Blocking.run { () -> [String] in
      do { return try body() } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(finding)") }
  }

  /// So slow that nothing comes to its end by itself.
  private static let rates = ["64K", "256K", "1M"]

  private static func running() throws -> PagedVM {
    let paged = try PagedVM()
    try paged.run(memory: "32M", resident: "8M", ["--compression", "off"])
    try paged.waitForSlots(4000)
    return paged
  }

  private static func text(_ place: borrowing TemporaryDirectory) throws -> String {
    let bytes = try place.directory.openFile("output", .read).readAll(limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func anAbortAtAnyMomentLeavesTheGuestWithItsFile() async {
    await Self.check {
      let paged = try Self.running()
      var random = SeededGenerator(seed: 20)
      var findings: [String] = []
      let before = try paged.status()["pid"]
      for round in 1...20 where findings.isEmpty {
        let place = try TemporaryDirectory()
        let output = try place.directory.openFile("output", .append)
        let rate = Self.rates.randomElement(using: &random) ?? "1M"
        let child = try paged.vm.startHandoff(
          ["--timeout", "60s", "--max-downtime", "5s"] + paged.mirroring(to: "next", rate: rate),
          output: output)
        _ = try? Poller().wait(timeout: UInt64.random(in: 0...250_000_000, using: &random))
        // One that comes before there is anything to abort comes again.
        let isAborted = try TestVM.wait {
          try paged.vm.answer("abort").code == 0 || ProcessTable.state(of: child.pid) == .dead
        }
        let status = try child.ended()
        if !isAborted || status != .exited(4) {
          findings.append("handoff ended with \(status as Any): \(try Self.text(place))")
        }
        findings += try (paged.fileFindings(using: "swap") + paged.guestFindings()).map { "\(round): \($0)" }
      }
      if try paged.status()["pid"] != before { findings.append("another process runs it") }
      let (code, answer) = try paged.handOver(paged.mirroring(to: "next"))
      if code != 0 { findings.append("\(answer)") }
      findings += try paged.fileFindings(using: "next")
      try paged.waitForEvictions(1000)
      findings += try paged.findingsAtRest(pages: 8192, limit: 2048)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  /// The file is let go of before the handoff says that it is over.
  @Test func aFileOfTheUsersCanBeTakenAgainAtOnce() async {
    await Self.check {
      let paged = try Self.running()
      _ = try paged.place.directory.openFile("own", .createNew)
      var findings: [String] = []
      for round in 1...5 {
        let place = try TemporaryDirectory()
        let output = try place.directory.openFile("output", .append)
        let child = try paged.startMirroring(to: "own", rate: "1M", output: output)
        _ = try child.process.signal(SignalNumber.interrupt)
        let status = try child.ended()
        if status != .exited(4) {
          findings.append("\(round): it ended with \(status as Any): \(try Self.text(place))")
        }
        findings += try paged.fileFindings(using: "swap", kept: ["own"])
      }
      let (code, answer) = try paged.handOver(paged.mirroring(to: "own"))
      if code != 0 { findings.append("\(answer)") }
      findings += try paged.fileFindings(using: "own") + paged.guestFindings() + paged.vm.stopped()
      let left = try paged.place.directory.names(limit: 10)
      return findings + (left == ["own"] ? [] : ["\(left) is left"])
    }
  }

  enum Ending: CaseIterable {
    case command
    case signal
    case death
  }

  @Test(arguments: Ending.allCases) func anEndOfTheVMMeanwhileLeavesNothing(_ ending: Ending) async {
    await Self.check {
      let paged = try Self.running()
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "64K", output: output)
      guard let pid = try paged.status()["pid"]?.number else { throw Unexpected("nobody runs it") }
      var findings: [String] = []
      switch ending {
      case .command:
        let result = try paged.vm.fsr(["stop", paged.vm.name])
        if result.code != 0 { findings.append("stop: \(result)") }
      case .signal: try ProcessTable.signal(SignalNumber.terminate, pid: Int32(pid), of: paged.vm.name)
      case .death: try ProcessTable.signal(SignalNumber.kill, pid: Int32(pid), of: paged.vm.name)
      }
      let status = try child.ended()
      let due: Int32 = ending == .death ? 6 : 4
      if status != .exited(due) { findings.append("it ended with \(status as Any): \(try Self.text(place))") }
      if ending == .death { return findings + (try paged.stopped()) }
      let isGone = try TestVM.wait { try paged.vm.remains().isEmpty }
      if !isGone { findings += try paged.vm.remains() }
      return findings + (try paged.place.directory.names(limit: 10).map { "\($0) is left" })
    }
  }

  @Test func aGuestMayBePausedMeanwhile() async {
    await Self.check {
      let paged = try Self.running()
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "6M", output: output)
      var findings: [String] = []
      for command in ["pause", "resume", "pause"] {
        let result = try paged.vm.fsr([command, paged.vm.name])
        if result.code != 0 { findings.append("\(command): \(result)") }
      }
      if ProcessTable.state(of: child.pid) == .dead { findings.append("it was over before") }
      let status = try child.ended()
      if status != .exited(0) { findings.append("it ended with \(status as Any): \(try Self.text(place))") }
      let state = try paged.status()["state"]?.text
      if state != "paused" { findings.append("it is \(state as Any)") }
      findings += try paged.fileFindings(using: "next")
      _ = try paged.vm.answer("resume")
      try paged.waitForEvictions(1000)
      findings += try paged.findingsAtRest(pages: 8192, limit: 2048)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  /// Writes a word to each page of 12 MiB, and waits for a key.
  private static let walker =
    "li s0, 0x80100000\n li s2, 0x80d00000\n li s3, 4096\n 1: sd s0, 0(s0)\n add s0, s0, s3\n bltu s0, s2, 1b\n"
    + "li s0, 0x10000000\n 1: lbu t0, 5(s0)\n andi t0, t0, 1\n beqz t0, 1b\n lbu s1, 0(s0)\n"

  @Test(.enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
  func aGuestThatEndsMeanwhileLeavesNothing() async {
    await Self.check {
      let paged = try PagedVM()
      let place = try TemporaryDirectory()
      try place.directory.openFile("guest", .createNew).write(
        try GuestProgram.assemble(Self.walker + GuestProgram.finish))
      try paged.vm.run([
        "--memory", "16M", "--resident", "4M", "--swap", paged.swap, "--compression", "off", "--guest",
        place.path + "/guest",
      ])
      try paged.waitForSlots(2000)
      let output = try place.directory.openFile("output", .append)
      let child = try paged.startMirroring(to: "next", rate: "64K", output: output)
      _ = try paged.vm.type("x")
      let status = try child.ended()
      var findings: [String] = []
      if status != .exited(4) { findings.append("it ended with \(status as Any): \(try Self.text(place))") }
      let hasEnded = try TestVM.wait { try paged.vm.answer("status").code == 7 }
      if !hasEnded { findings.append("it never ends") }
      let names = try paged.place.directory.names(limit: 10)
      if names.contains("next") { findings.append("\(names) is left") }
      return findings + (try paged.stopped())
    }
  }
}
