import FSRSystem
import FSRTestSupport
import Testing

/// Many good handoffs in a row, with the soak guest as its own oracle.
@Suite(.serialized) struct HandoffTests {
  static let count = 200

  @Test func twoHundredHandoffsInARowLoseNothing() async throws {
    await Blocking.check { Self.findings() }
  }

  private static func findings() -> [String] {
    do { return try handOver() } catch { return ["\(error)"] }
  }

  private static func handOver() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    let console = place.path + "/console"
    try vm.run(["--memory", "64M", "--vcpus", "4", "--duty", "50", "--console", console])
    var findings: [String] = []
    func expect(_ holds: Bool, _ what: @autoclosure () -> String) { if !holds { findings.append(what()) } }

    // The first VMM was started by another path: the second is the first that took the guest over.
    let first = try vm.answer("handoff", ["--max-downtime", "5s"])
    expect(first.code == 0, "the first handoff: \(first)")
    let before = try Int32(vm.answer("status").value["pid"]?.number ?? 0)
    let descriptorsBefore = try ProcessTable.descriptorCount(of: before)
    for index in 2...count {
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      expect(code == 0, "handoff \(index) ended with \(String(describing: code)): \(answer)")
      expect(answer["generation"]?.number == Double(index + 1), "handoff \(index): \(answer)")
      let machines = try vm.machines()
      expect(machines.count == 1, "after handoff \(index): \(machines)")
      if findings.count > 10 { break }
    }
    let status = try vm.status()
    let after = Int32(status["pid"]?.number ?? 0)
    let descriptorsAfter = try ProcessTable.descriptorCount(of: after)
    expect(
      descriptorsAfter <= descriptorsBefore + 4, "\(descriptorsBefore) descriptors became \(descriptorsAfter)"
    )
    let errors = try vm.guestErrors()
    expect(errors == 0, "the guest counts errors: \(String(describing: errors))")
    expect(try vm.advances(), "the guest stands still")
    let blocks = try vm.blockNames()
    expect(blocks == ["\(count + 1)"], "blocks \(blocks)")
    findings += try ConsoleLines.findings(in: "console", of: place.directory, first: "line ", atLeast: 2)
    for left in try vm.stopped() { findings.append("left behind: \(left)") }
    return findings
  }
}
