import FSRSystem
import FSRTestSupport
import Testing

/// A VM that a service manager has started: the service follows it from process to process.
@Suite(.serialized) struct ServiceTests {
  @Test func theServicesMainProcessIsWhoeverRunsTheGuest() async {
    await Blocking.check { try Self.findings() }
  }

  /// A manager that is busy has a full queue for a while: what is said then is said all the same.
  @Test func aManagerThatIsBusyHearsItLater() async {
    await Blocking.check {
      let vm = try TestVM()
      let place = try TemporaryDirectory(under: "/tmp")
      let path = place.path + "/notify"
      let manager = try DatagramListener(path: path)
      let environment = ["NOTIFY_SOCKET=" + path]
      let run = try BuiltCommand.run(
        ["run", vm.name, "--memory", "32M", "--runtime-dir", vm.runtime], environment: environment)
      guard run.code == 0, try manager.next(timeout: TestVM.timeout) != nil else { return ["run: \(run)"] }
      var findings: [String] = []
      let before = try vm.status()["pid"]
      if try manager.fill(path: path) == 0 { findings.append("the queue takes nothing") }
      let output = try place.directory.openFile("output", .append)
      let handoff = try vm.startHandoff(["--max-downtime", "5s"], output: output)
      // By the control block: the new VMM answers once the old one has gone, which waits.
      let isThere = try TestVM.wait { try vm.answer("status").value["pid"] != before }
      if !isThere { findings.append("nobody takes over") }
      let due = "MAINPID=\(Int(try vm.answer("status").value["pid"]?.number ?? 0))"
      var said: [String] = []
      while !said.contains(due), let one = try manager.next(timeout: TestVM.timeout) { said.append(one) }
      if !said.contains(due) { findings.append("\(due) is not said: \(said.filter { $0 != "x" })") }
      let end = try handoff.ended()
      if end != .exited(0) { findings.append("the handoff: \(String(describing: end))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// As where the source of a handoff is killed before its manager has heard who comes after it. The manager ends the service
  /// then, and whoever is its main process: nobody who has the guest may say that he is, before it is started again.
  @Test(arguments: ["source:race:kill", "source:race:kill,destination:verify:kill"])
  func aServiceThatIsStartedAgainTakesUpTheGuestThatRuns(faults: String) async {
    await Blocking.check {
      let vm = try TestVM()
      let place = try TemporaryDirectory(under: "/tmp")
      let manager = try DatagramListener(path: place.path + "/notify")
      let environment = ["NOTIFY_SOCKET=" + place.path + "/notify"]
      func fsr(_ command: String, _ options: [String], _ environment: [String]) throws -> Int32? {
        try BuiltCommand.run(
          [command, vm.name, "--runtime-dir", vm.runtime] + options, environment: environment
        ).code
      }
      func run(_ options: [String], _ environment: [String]) throws -> Int32? {
        try fsr("run", ["--memory", "32M"] + options, environment)
      }
      func pid() throws -> Int { Int(try vm.answer("status").value["pid"]?.number ?? 0) }
      guard try run(["--replace-lost"], environment) == 0, try manager.next(timeout: TestVM.timeout) != nil
      else { return ["the service does not start"] }
      let first = try pid()
      var findings: [String] = []
      // As in a reload: the manager starts the command, and would hear its successor too.
      if try fsr("handoff", ["--max-downtime", "5s", "--fault", faults], environment) != 0 {
        findings.append("no handoff")
      }
      let second = try pid()
      if second == first || second == 0 { findings.append("the guest is not elsewhere") }
      while let said = try manager.next(timeout: 200_000_000) {
        findings.append("after the handoff: \(said)")
      }
      if try run(["--replace-lost"], environment) != 0 { findings.append("it is not taken up") }
      let said = try manager.next(timeout: TestVM.timeout)
      if said != "READY=1\nMAINPID=\(second)" { findings.append("taken up: \(said ?? "-")") }
      // Whoever is no service, or does not ask for that, gets no VM of the name a second time.
      if try run(["--replace-lost"], []) != 3 { findings.append("a second VM without a manager") }
      if try run([], environment) != 3 { findings.append("a second VM unasked") }
      if let said = try manager.next(timeout: 200_000_000) { findings.append("at last: \(said)") }
      if try pid() != second { findings.append("another process runs it") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  private static func findings() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory(under: "/tmp")
    let path = place.path + "/notify"
    let manager = try DatagramListener(path: path)
    let result = try BuiltCommand.run(
      ["run", vm.name, "--memory", "32M", "--runtime-dir", vm.runtime], environment: ["NOTIFY_SOCKET=" + path]
    )
    guard result.code == 0 else { return ["run: \(result)"] }
    var findings: [String] = []
    func pid() throws -> Int { Int(try vm.answer("status").value["pid"]?.number ?? 0) }
    let first = try manager.next(timeout: TestVM.timeout)
    let started = try pid()
    if first != "READY=1\nMAINPID=\(started)" { findings.append("at the start: \(first ?? "-")") }
    // A source that hangs does not say who comes after it; the new VMM does, before it ends that.
    for fault in [[], ["--fault", "source:race:stop"], ["--fault", "destination:verify:kill"]] {
      let before = try pid()
      let code = try vm.answer("handoff", ["--max-downtime", "5s"] + fault).code
      let after = try pid()
      var said: [String] = []
      while let one = try manager.next(
        timeout: said.isEmpty && after != before ? TestVM.timeout : 200_000_000)
      {
        said.append(one)
      }
      // The new VMM would end it, too, half a minute later.
      if fault.contains("source:race:stop") {
        try? ProcessTable.signal(SignalNumber.kill, pid: Int32(before), of: vm.name)
        if try !TestVM.wait(until: { try vm.machines()[Int32(before)] == nil }) {
          findings.append("it stays")
        }
      }
      // Nothing where the source goes on.
      let isRight = said == (after == before ? [] : ["MAINPID=\(after)"])
      if !isRight || code == nil || (after == before) != fault.contains("destination:verify:kill") {
        findings.append("after \(fault), \(before) to \(after): \(said)")
      }
    }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }
}
