import FSRSystem
import FSRTestSupport
import Testing

/// A VM that a service manager has started: the service follows it from process to process.
@Suite(.serialized) struct ServiceTests {
  @Test func theServicesMainProcessIsWhoeverRunsTheGuest() async {
    await Blocking.check { try Self.findings() }
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
    let first = try manager.next(timeout: TestVM.patience)
    let started = try pid()
    if first != "READY=1\nMAINPID=\(started)" { findings.append("at the start: \(first ?? "-")") }
    for fault in [[], ["--fault", "source:reap:kill"], ["--fault", "destination:verify:kill"]] {
      let before = try pid()
      let code = try vm.answer("handoff", ["--max-downtime", "5s"] + fault).code
      let after = try pid()
      var said: [String] = []
      while let one = try manager.next(
        timeout: said.isEmpty && after != before ? TestVM.patience : 200_000_000)
      {
        said.append(one)
      }
      // Once from each of the two, where both lived; nothing where the source goes on.
      let isRight = said.allSatisfy { $0 == "MAINPID=\(after)" } && said.isEmpty == (after == before)
      if !isRight || code == nil { findings.append("after \(fault), \(before) to \(after): \(said)") }
    }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }
}
