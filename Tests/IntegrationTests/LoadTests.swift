import FSRSystem
import FSRTestSupport
import Testing

/// A guest's statistics do not restart with a handoff.
@Suite(.serialized) struct LoadTests {
  private static func sums(_ vm: TestVM) throws -> (ran: Double, exits: Double) {
    let vcpus = try vm.status()["vcpus"]?.elements ?? []
    func sum(_ key: String) -> Double { vcpus.compactMap { $0[key]?.number }.reduce(0, +) }
    return (sum("run_ms"), sum("exits"))
  }

  @Test func timesAndExitsGoOnOverHandoffs() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "60"])
      var findings: [String] = []
      let isRunning = try TestVM.wait { try Self.sums(vm).ran >= 300 }
      if !isRunning { findings.append("no time passes in the guest") }
      for fault in [[], ["--fault", "destination:verify:kill"], []] {
        let before = try Self.sums(vm)
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"] + fault)
        if code != (fault.isEmpty ? 0 : 4) { findings.append("\(answer)") }
        let after = try Self.sums(vm)
        if after.ran < before.ran || after.exits <= before.exits {
          findings.append("\(before) became \(after)")
        }
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func loadAveragesGoOnOverHandoffs() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      var findings: [String] = []
      func average() throws -> Double { try vm.status()["load"]?["avg1m"]?.number ?? 0 }
      let rises = try TestVM.wait { try average() > 0 }
      if !rises { findings.append("the load stays at nothing") }
      // A guest that stands can only bring it down, and in moments only by a little.
      let paused = try vm.pause()
      if paused.code != 0 { findings.append("\(paused)") }
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      if handoff.code != 0 { findings.append("\(handoff)") }
      let after = try average()
      if after <= 0 { findings.append("the load restarts: \(after)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
