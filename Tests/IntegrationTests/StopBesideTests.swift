import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// A stop beside somebody of the VM's whom a signal has stopped: he hears nothing, and is not waited for.
@Suite(.serialized) struct StopBesideTests {
  /// Nanoseconds: less than what is waited for those who may yet go on.
  private static let limit: UInt64 = 9_000_000_000

  private static func stop(_ vm: TestVM) throws -> [String] {
    let begin = MonotonicClock.now()
    let left = try vm.stopped()
    let took = MonotonicClock.now() - begin
    return left + (took < limit ? [] : ["it took \(took / 1_000_000) ms"])
  }

  @Test func aFrozenVMMIsEndedAtOnce() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "5"])
      guard let pid = try vm.machines().keys.first else { return ["no VMM"] }
      try ProcessTable.signal(SignalNumber.stop, pid: pid, of: vm.name)
      let isStanding = try TestVM.wait { try vm.machines()[pid] == .stopped }
      return try (isStanding ? [] : ["it goes on"]) + Self.stop(vm)
    }
  }

  /// The guest is lost, and a coordinator stands still that has the VM's lock: before its block, and behind its end.
  @Test(arguments: ["settle", "bury"]) func aCoordinatorThatStandsStillIsNotWaitedFor(step: String) async {
    await Blocking.check {
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      try vm.run(["--memory", "16M", "--duty", "5"])
      let output = try place.directory.openFile("said", .append)
      let handoff = try vm.startHandoff(
        ["--max-downtime", "5s", "--fault", "coordinator:\(step):stop"], output: output)
      var findings: [String] = []
      let isStanding = try TestVM.wait {
        let isOver = try step == "settle" || vm.machines().count == 1 && vm.newestBlock()?.owner != nil
        return isOver && ProcessTable.state(of: handoff.pid) == .stopped
      }
      if !isStanding { findings.append("nobody stands still") }
      for pid in try vm.machines().keys {
        try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
      }
      findings += try Self.stop(vm)
      _ = try handoff.process.signal(SignalNumber.go)
      let status = try handoff.ended()
      // Ended by the stop, where a block names it; else it finds the VM gone.
      let isDue = status == .exited(7) || status == .signaled(SignalNumber.kill)
      return findings + (isDue ? [] : ["the handoff ended with \(status as Any)"])
    }
  }
}
