import FSRSystem
import FSRTestSupport
import Testing

/// Guests on memory nodes, as far as one node shows it; see `TwoNodeTests`. And what of them is in a core dump.
@Suite(.serialized) struct PlacementTests {
  private static func check(_ body: @escaping @Sendable (TestVM) throws -> [String]) async {
    await Blocking.check { try body(try TestVM()) }
  }

  private static func process(of vm: TestVM) throws -> ProcessFiles {
    guard let pid = try vm.answer("status").value["pid"]?.number else { throw Unexpected("no pid") }
    return ProcessFiles(pid: Int32(pid))
  }

  // A kernel without memory nodes refuses --numa, and says so.
  @Test(.enabled(if: NUMA.usableNodes().contains(0), "the kernel knows no memory nodes"))
  func handoffsKeepAGuestOnItsNode() async {
    await Self.check { vm in
      var findings: [String] = []
      try vm.run(["--memory", "16M", "--vcpus", "2", "--numa", "0", "--reserve", "1M", "--duty", "20"])
      let allowed = try Scheduling.affinity(of: 0).intersection(NUMA.cpus(of: NodeSet(0)))
      for round in 0...2 {
        if round > 0 {
          let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
          if code != 0 { findings.append("handoff: \(answer)") }
        }
        let process = try Self.process(of: vm)
        let policies = try process.policies(of: "fsr-ram")
        if policies != ["bind:0"] { findings.append("round \(round): RAM is \(policies)") }
        let numa = try vm.status()["numa"]
        if numa != .object(["nodes": .list([.number(0)]), "policy": .text("bind")]) {
          findings.append("round \(round): status says \(String(describing: numa))")
        }
        let record = try JSONValue(parsing: try vm.fsr(["ledger", "--json"]).output)["records"]?.elements
          .first
        if record?["nodes"] != .list([.number(0)]) { findings.append("\(String(describing: record))") }
        // A thread of the switch is on one of them for a moment.
        for thread in try process.threads() {
          // One that served a client may have ended.
          guard let affinity = try? Scheduling.affinity(of: thread) else { continue }
          if affinity.intersection(allowed) != affinity {
            findings.append("thread \(thread) is on \(affinity)")
          }
        }
      }
      let errors = try vm.guestErrors()
      if errors != 0 { findings.append("the guest counts errors: \(String(describing: errors))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aGuestThatIsNotPlacedHasNoPolicy() async {
    await Self.check { vm in
      try vm.run(["--memory", "16M", "--duty", "1"])
      var findings: [String] = []
      let policies = try Self.process(of: vm).policies(of: "fsr-ram")
      if policies.contains(where: { $0 != "default" }) { findings.append("RAM is \(policies)") }
      let numa = try vm.status()["numa"]
      if numa != .null { findings.append("status says \(String(describing: numa))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test(arguments: ["63", "0,62-63", "1000"]) func aNodeThatIsNotThereIsRefused(nodes: String) async {
    await Self.check { vm in
      let result = try vm.fsr(["run", vm.name, "--memory", "16M", "--numa", nodes])
      // 1000 alone is in reach of itself.
      let isSaid = result.errorLines.count == 1 && result.errors.contains("node")
      return (result.code == 3 && isSaid ? [] : ["run: \(result)"]) + (try vm.remains())
    }
  }

  @Test func whatIsTheGuestsIsInNoCoreDump() async {
    await Self.check { vm in
      var findings: [String] = []
      try vm.run(["--memory", "16M", "--duty", "20", "--reserve", "1M"])
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let handoff = try vm.startHandoff(
        ["--timeout", "60s", "--max-downtime", "60s", "--fault", "destination:verify:stop"], output: output)
      let isStopped = try TestVM.wait { try vm.machines().contains { $0.value == .stopped } }
      if !isStopped { findings.append("no destination stands still") }
      for pid in try vm.machines().keys {
        let flags = try ProcessFiles(pid: pid).memfdFlags()
        for name in ["fsr-ram", "fsr-console", "fsr-checkpoint"] {
          let own = flags.filter { $0.hasPrefix("\(name) ") }
          if own.isEmpty { findings.append("process \(pid) maps no \(name)") }
          findings += own.filter { !$0.split(separator: " ").contains("dd") }.map {
            "process \(pid) dumps \($0)"
          }
        }
      }
      try vm.letGo()
      let status = try handoff.ended()
      if status != .exited(0) { findings.append("handoff ended with \(String(describing: status))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
