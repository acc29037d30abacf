import FSRSystem
import FSRTestSupport
import Testing

/// A VM's life by the command line alone, in a runtime folder of the test's own.
@Suite(.serialized) struct LifeTests {
  private struct Place: ~Copyable {
    let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// Whatever a failed test left behind.
    deinit { _ = try? fsr("stop", "vm") }

    @discardableResult func fsr(_ arguments: String...) throws -> BuiltCommand.Result {
      try BuiltCommand.run(arguments + ["--runtime-dir", folder.path])
    }

    func state() throws -> JSONValue { try JSONValue(parsing: fsr("status", "vm", "--json").output) }
  }

  @Test func aVMRunsIsHandedOverAndStops() throws {
    let place = try Place()
    let run = try place.fsr("run", "vm", "--memory", "16M", "--vcpus", "2", "--json")
    let started = try JSONValue(parsing: run.output)
    #expect(run.code == 0 && run.errors.isEmpty && started.keys == AnswerKeys.status)
    #expect(started["state"]?.text == "running" && started["generation"]?.number == 1)
    let again = try place.fsr("run", "vm")
    #expect(again.code == 3 && again.errorLines.count == 1)

    let handoff = try place.fsr("handoff", "vm", "--max-downtime", "5s", "--json")
    let report = try JSONValue(parsing: handoff.output)
    #expect(handoff.code == 0 && handoff.errors.isEmpty && report.keys == AnswerKeys.handoff, "\(handoff)")
    #expect(report["victor"]?.text == "destination" && report["generation"]?.number == 2)
    #expect(report["memory"]?["shared_pages"]?.number == 4096)
    let phase = try #require(report["phases"]?.elements.first)
    #expect(phase.keys == ["name", "start_us", "duration_us"])

    let after = try place.state()
    #expect(
      after["generation"]?.number == 2 && after["pid"] != started["pid"] && after.keys == AnswerKeys.status)
    #expect(after["guest"]?["errors"]?.number == 0 && after["vcpus"]?.elements.count == 2)
    #expect(after["vcpus"]?.elements.first?.keys == ["id", "instructions", "run_ms", "exits"])

    let list = try JSONValue(parsing: place.fsr("list", "--json").output)
    #expect(list.keys == AnswerKeys.list && list["vms"]?.elements.map { $0["name"] } == [.text("vm")])
    let stop = try place.fsr("stop", "vm", "--json")
    let stopped = try JSONValue(parsing: stop.output)
    #expect(stop.code == 0 && stopped.keys == AnswerKeys.stop)
    let gone = try place.fsr("status", "vm")
    #expect(gone.code == 7)
    let names = try place.folder.directory.names(limit: 100)
    #expect(names.isEmpty)
  }

  @Test func aVMThatWasNeverHandedOverIsItsFirstVMMs() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let pid = try place.state()["pid"]
    let result = try place.fsr("recover", "vm", "--json")
    let answer = try JSONValue(parsing: result.output)
    #expect(result.code == 0 && answer["owner"]?.text == "source" && answer["pid"] == pid, "\(result)")
    #expect(answer["generation"]?.number == 1)
  }

  @Test func aRecoveryAfterACheckSaysThatNothingIsUndecided() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let check = try place.fsr("check", "vm")
    let result = try place.fsr("recover", "vm")
    #expect(
      check.code == 0 && result.code == 0 && result.output.contains("nothing is undecided"), "\(result)")
    #expect(result.output.contains("check") && !result.output.contains("trial"))
  }

  @Test func theSameBuildIsNotHandedOverIfNotNeeded() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let before = try place.state()
    let result = try place.fsr("handoff", "vm", "--if-needed", "--json")
    let answer = try JSONValue(parsing: result.output)
    #expect(result.code == 0 && answer.keys == AnswerKeys.handoff && answer["victor"]?.text == "none")
    let after = try place.state()
    #expect(before["pid"] == after["pid"] && after["generation"]?.number == 1)
  }

  @Test(arguments: ["/nonexistent/fsr", "/", "/dev/null"]) func aBinaryThatCannotBeReadIsRefused(path: String)
    throws
  {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let result = try place.fsr("handoff", "vm", "--to", path, "--json")
    #expect(result.code == 3 && result.errorLines.count == 1, "\(result)")
    #expect(try JSONValue(parsing: result.output).keys == AnswerKeys.handoff)
    let state = try place.state()["state"]?.text
    #expect(state == "running")
  }

  @Test func aBinaryCanBeAskedWhichBuildItIs() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let build = try #require(try place.state()["build"]?.text)
    let words = [["--version"], ["status", "--version"], ["handoff", "vm", "--version"]]
    for result in try words.map({ try BuiltCommand.run($0) }) {
      #expect(result.code == 0 && result.output == "fsr \(build)\n" && result.errors.isEmpty, "\(result)")
    }
    #expect(build.count == 40)
  }

  @Test func aBinaryThatIsNoVMMIsCalledOff() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let before = try place.state()
    let result = try place.fsr("handoff", "vm", "--to", "/bin/true", "--json")
    let answer = try JSONValue(parsing: result.output)
    #expect([3, 4].contains(result.code) && result.errorLines.count == 1, "\(result)")
    #expect(answer.keys == AnswerKeys.handoff && answer["reason"]?.text != nil)
    let after = try place.state()
    #expect(after["state"]?.text == "running" && after["pid"] == before["pid"])
    #expect(after["generation"]?.number == 1)
  }

  @Test func aDestinationThatDiesLeavesTheSourceRunning() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let result = try place.fsr("handoff", "vm", "--fault", "destination:prepare:kill", "--json")
    let answer = try JSONValue(parsing: result.output)
    #expect(result.code == 4 && answer["victor"]?.text == "source", "\(result)")
    let recover = try place.fsr("recover", "vm", "--json")
    let settled = try JSONValue(parsing: recover.output)
    #expect(recover.code == 0 && settled.keys == AnswerKeys.recover, "\(recover)")
    let handoff = try place.fsr("handoff", "vm", "--max-downtime", "5s")
    #expect(handoff.code == 0, "\(handoff)")
  }

  @Test(arguments: [SignalNumber.interrupt, SignalNumber.terminate, SignalNumber.hangup])
  func anInterruptedHandoffIsCalledOff(number: Int32) throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let errors = try place.folder.directory.openFile("errors", .append)
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(),
      arguments: [
        "fsr", "handoff", "vm", "--fault", "destination:prepare:stop", "--runtime-dir", place.folder.path,
      ], environment: [], inheriting: [.init(errors.number, as: 1), .init(errors.number, as: 2)])
    // The destination stands still: the handoff is under way until somebody ends it.
    var state = try place.state()["state"]?.text
    while state == "running", try !child.process.waitForExit(timeout: 1_000_000) {
      state = try place.state()["state"]?.text
    }
    #expect(state == "handoff")
    let second = try place.fsr("handoff", "vm")
    #expect(second.code == 3 && second.errors.contains("`fsr abort vm --runtime-dir"), "\(second)")
    _ = try child.process.signal(number)
    let status = try child.ended()
    #expect(status == .exited(4))
    let said = try place.folder.directory.openFile("errors", .read).readAll(limit: 1 << 16)
    #expect(String(decoding: said, as: UTF8.self).contains("interrupted"))
    let settled = try place.fsr("recover", "vm")
    let after = try place.state()
    #expect(settled.code == 0 && after["state"]?.text == "running" && after["generation"]?.number == 1)
    try place.folder.directory.unlink("errors")
  }

  @Test func aSourceThatDiesBeforeTheCheckpointLosesTheVM() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let result = try place.fsr("handoff", "vm", "--fault", "source:stun:kill")
    #expect(result.code == 6 && result.errorLines.count == 1, "\(result)")
    let status = try place.fsr("status", "vm", "--json")
    let state = try JSONValue(parsing: status.output)["state"]?.text
    #expect(status.code == 6 && state == "lost")
    let stop = try place.fsr("stop", "vm")
    #expect(stop.code == 0)
  }

  @Test func aSourceThatDiesAfterTheCheckpointHandsOverAllTheSame() throws {
    let place = try Place()
    try place.fsr("run", "vm", "--memory", "16M")
    let result = try place.fsr("handoff", "vm", "--fault", "source:wake:kill", "--max-downtime", "10s")
    #expect(result.code == 0, "\(result)")
    let after = try place.state()
    #expect(after["state"]?.text == "running" && after["generation"]?.number == 2)
  }

  @Test func aGuestInTheForegroundWritesAndEndsWell() throws {
    let place = try Place()
    let guest = try TinyGuest(.passed).write(to: "guest", in: place.folder)
    let result = try BuiltCommand.run([
      "run", "vm", "--memory", "1M", "--guest", guest, "--foreground", "--runtime-dir",
      place.folder.path + "/vms",
    ])
    #expect(result.code == 0 && result.output == "A" && result.errors.isEmpty, "\(result)")
  }

  @Test func aGuestsFailureIsTheCommands() throws {
    let place = try Place()
    let guest = try TinyGuest(.failed).write(to: "guest", in: place.folder)
    let result = try BuiltCommand.run([
      "run", "vm", "--memory", "1M", "--guest", guest, "--foreground", "--runtime-dir",
      place.folder.path + "/vms",
    ])
    #expect(result.code == 1 && result.errorLines.count == 1 && result.errors.contains("code 7"), "\(result)")
  }
}
