import FSRSystem
import FSRTestSupport
import Testing

/// `fsr log`, with VMs of real processes.
@Suite(.serialized) struct LogTests {
  @Test func theLogIsFollowedOverHandoffsUntilTheVMIsStopped() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      try vm.run(["--memory", "16M"])
      let child = try ChildProcess.spawn(
        executable: BuiltCommand.path(),
        arguments: ["fsr", "log", vm.name, "--follow", "--runtime-dir", vm.runtime],
        environment: BuiltCommand.environment(), inheriting: [.init(output.number, as: 1)])
      func text() throws -> String {
        String(decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 20), as: UTF8.self)
      }
      for attempt in 2...3 {
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff: \(answer)") }
        let isTold = try TestVM.wait { try text().contains("handoff \(attempt) ended: victor destination") }
        if !isTold { findings.append("handoff \(attempt) is not told of: \(try text())") }
      }
      // A VM that is stopped has no folder any more; what was written is printed first.
      findings += try vm.stopped().map { "left behind: \($0)" }
      let status = try child.ended()
      if status != .exited(0) { findings.append("it ended with \(String(describing: status))") }
      if try !text().contains("told to stop by a client") { findings.append("the end: \(try text())") }
      return findings
    }
  }

  @Test func theLastLinesAreThoseAtTheEnd() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let folder = try Directory.open("\(vm.runtime)/\(vm.name)")
      // More than is read in one step.
      let lines = (1...20_000).map { "line \($0)" }
      let ending = lines.joined(separator: "\n") + "\n"
      try folder.openFile("log", .append).write(Array(ending.utf8))
      for count in [1, 2, 9_999, 20_000] {
        let result = try vm.fsr(["log", vm.name, "--last", "\(count)"])
        let expected = lines.suffix(count).joined(separator: "\n") + "\n"
        if result.code != 0 || result.output != expected { findings.append("the last \(count) are others") }
      }
      let all = try vm.fsr(["log", vm.name])
      if all.code != 0 || !all.output.hasSuffix(ending) { findings.append("not all is printed") }
      try folder.openFile("log", .append).write(Array("\u{1b}[31mred\rµ".utf8) + [0xff])
      let cut = try vm.fsr(["log", vm.name, "--last", "1"])
      if cut.output != #"\u{1b}[31mred\u{d}µ"# + "\u{fffd}" { findings.append("hostile: \(cut)") }
      // Half a character at the end is shown for what it is.
      try folder.openFile("log", .append).write(Array("\nend ".utf8) + [0xc2])
      let half = try vm.fsr(["log", vm.name, "--last", "1"])
      if half.output != "end \u{fffd}" { findings.append("half a character: \(half)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
