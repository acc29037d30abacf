import FSRSystem
import FSRTestSupport
import Testing

/// The terminal goes, as with an ssh that is cut off: whoever is at work there clears up, and a VM goes on.
@Suite(.serialized) struct HangupTests {
  @Test func aVMMOutlivesIt() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      var findings: [String] = []
      // The second VMM is started by the first, and not by a command.
      for generation in 1...2 {
        for (pid, _) in try vm.machines() {
          try ProcessTable.signal(SignalNumber.hangup, pid: pid, of: vm.name)
        }
        if try !vm.advances() { findings.append("generation \(generation) is gone") }
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff of generation \(generation): \(answer)") }
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test(arguments: [SignalNumber.hangup, SignalNumber.terminate])
  func aRunInTheForegroundEndsItsVM(number: Int32) async {
    await Blocking.check {
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let runner = try vm.startForeground(["--memory", "16M"], output: output)
      var findings: [String] = []
      let isUp = try TestVM.wait { try vm.answer("status").value["state"]?.text == "running" }
      if !isUp { findings.append("it never runs") }
      _ = try runner.process.signal(number)
      let status = try runner.ended()
      if status != .exited(1) { findings.append("it ended with \(String(describing: status))") }
      return findings + (try vm.remains().map { "left behind: \($0)" })
    }
  }

  /// However early the signal comes, it is the same to whoever has sent it: before the VMM has answered, too.
  @Test func whatWasOnlyAskedForIsCalledOffToo() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let source = try vm.machines().keys.first ?? 0
      let child = try vm.startHandoff(
        ["--timeout", "60s", "--fault", "coordinator:request:stop"], output: output)
      var findings: [String] = []
      if !TestVM.wait(until: { ProcessTable.state(of: child.pid) == .stopped }) {
        findings.append("it does not stand")
      }
      // A VMM that stands still takes the request and does not answer.
      try ProcessTable.signal(SignalNumber.stop, pid: source, of: vm.name)
      if !TestVM.wait(until: { ProcessTable.state(of: source) == .stopped }) {
        findings.append("the VMM does not stand")
      }
      _ = try child.process.signal(SignalNumber.interrupt)
      _ = try child.process.signal(SignalNumber.go)
      let status = try child.ended()
      try vm.letGo()
      let text = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 16), as: UTF8.self)
      if status != .exited(4) || !text.contains("SIGINT interrupted it") {
        findings.append("it ended with \(status as Any): \(text)")
      }
      if try !vm.advances() { findings.append("the guest stands still") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aHandoffIsCalledOff() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      // It waits for a destination that does not come.
      let child = try vm.startHandoff(
        ["--timeout", "60s", "--fault", "destination:negotiate:stop"], output: output)
      let isStopped = try TestVM.wait { try vm.machines().values.contains(.stopped) }
      _ = try child.process.signal(SignalNumber.hangup)
      let status = try child.ended()
      try vm.letGo()
      let text = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 16), as: UTF8.self)
      var findings: [String] = []
      if !isStopped || status != .exited(4) { findings.append("it ended with \(status as Any): \(text)") }
      if try !vm.advances() { findings.append("the guest stands still") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
