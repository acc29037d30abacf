import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// What threads are like once a guest is elsewhere: urgent only for the switch, on either side.
@Suite(.serialized) struct WonHandoffTests {
  /// What of the threads of a process is not as an ordinary thread's: its class, or where it may run.
  private static func oddThreads(of pid: Int32, on processors: String) throws -> [String] {
    let files = ProcessFiles(pid: pid)
    return try files.threads().compactMap { thread in
      let name = try files.text("task/\(thread)/comm").dropLast()
      let places = try files.status("Cpus_allowed_list", ofThread: thread) ?? "-"
      // Others are put where they are in nobody's way, and take a processor from nobody.
      let isVCPU = name.hasPrefix("vcpu")
      let policy = try Scheduling.policy(of: thread)
      let isPlain = policy == .normal || !isVCPU && policy == .batch
      return isPlain && (!isVCPU || places == processors) ? nil : "\(name): \(policy) on \(places)"
    }
  }

  @Test func neitherSideStaysUrgent() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
      let first = Int32(try vm.status()["pid"]?.number ?? 0)
      let everywhere = try ProcessFiles(pid: first).status("Cpus_allowed_list", ofThread: first) ?? "-"
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      // The loser has let go of the guest, and stands.
      let handoff = try vm.startHandoff(
        ["--timeout", "60s", "--max-downtime", "30s", "--fault", "source:park:stop"], output: output)
      var findings: [String] = []
      let stands = TestVM.wait { ProcessTable.state(of: first) == .stopped }
      if !stands { findings.append("the source does not come to stand") }
      findings += try Self.oddThreads(of: first, on: everywhere).map { "the loser's \($0)" }
      try vm.letGo()
      let status = try handoff.ended()
      if status != .exited(0) { findings.append("handoff ended with \(status as Any)") }
      let second = Int32(try vm.status()["pid"]?.number ?? 0)
      var odd: [String] = []
      let isCalm = try TestVM.wait {
        odd = try Self.oddThreads(of: second, on: everywhere)
        return odd.isEmpty
      }
      if !isCalm { findings += odd.map { "the victor's \($0)" } }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
