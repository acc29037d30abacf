import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Files of a VM that somebody else has open for writing.
@Suite(.serialized) struct WriterTests {
  /// What `check` and `handoff` say while `other` has `path` open for writing, and whether the guest runs on.
  private static func refusals(_ vm: TestVM, _ other: Sleeper, path: String) throws -> [String] {
    var findings: [String] = []
    let first = try vm.status()
    for command in ["check", "handoff"] {
      let (code, answer) = try vm.answer(command, ["--max-downtime", "5s"])
      let blockers = answer["blockers"]?.elements ?? []
      let what = blockers.first?["what"]?.text ?? ""
      let remedy = blockers.first?["remedy"]?.text ?? ""
      let isSaid =
        [path, "\(other.pid)", Sleeper.command].allSatisfy(what.contains)
        && remedy.contains("end that process")
      let isCoded = command == "check" || answer["reason_code"]?.text == "writers"
      if code != 3 || blockers.map({ $0["code"]?.text }) != ["writers"] || !isSaid || !isCoded {
        findings.append("\(command) ended with \(code ?? -1): \(answer)")
      }
      let lines = try vm.fsr([command, vm.name]).errorLines
      if lines.count != 1 { findings.append("\(command) says \(lines)") }
    }
    if try !vm.advances() { findings.append("the guest stands still") }
    let after = try vm.status()
    if after["pid"] != first["pid"] || after["generation"] != first["generation"] {
      findings.append("moved: \(after)")
    }
    if try vm.machines().count != 1 { findings.append("left behind: \(try vm.machines())") }
    return findings
  }

  /// A VM with a file: refused while another writes that, and handed over before and after.
  private static func check(_ options: [String], file: String) async {
    await Blocking.check {
      let place = try TemporaryDirectory(under: "/tmp")
      let path = place.path + "/" + file
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30"] + options.map { $0 == "FILE" ? path : $0 })
      var findings: [String] = []
      func handOver(_ when: String) throws {
        for command in ["check", "handoff"] {
          let (code, answer) = try vm.answer(command, ["--max-downtime", "5s"])
          if code != 0 { findings.append("\(command) \(when): \(answer)") }
        }
      }
      try handOver("with nobody else")
      do {
        let reader = try Sleeper(having: try place.directory.openFile(file, .read))
        try handOver("with a reader \(reader.pid)")
      }
      let other = try Sleeper(having: try place.directory.openFile(file, .readWrite))
      findings += try refusals(vm, other, path: path)
      other.end()
      try handOver("after the writer")
      let errors = try vm.guestErrors()
      if errors != 0 { findings.append("the guest counts errors: \(errors as Any)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aConsoleFileThatAnotherWritesIsABlocker() async {
    await Self.check(["--console", "FILE"], file: "console")
  }

  @Test(.enabled(if: hasUserFault())) func aSwapFileThatAnotherWritesIsABlocker() async {
    await Self.check(["--resident", "4M", "--swap", "FILE"], file: "swap")
  }

  /// Whoever asks for a handoff otherwise than with the command: the source sees it by itself.
  @Test func theSourceLooksForItself() async {
    await Blocking.check {
      let place = try TemporaryDirectory(under: "/tmp")
      let path = place.path + "/console"
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30", "--console", path])
      func ask() throws -> (end: HandoffEnd, code: ReasonCode?, reason: String) {
        guard let blocks = vm.blocksPath() else { throw Absent() }
        var options = CoordinatorSession.Options()
        options.maxDowntime = 5_000_000_000
        var session = CoordinatorSession(
          .handoff, name: vm.name, folder: try Directory.open("\(vm.runtime)/\(vm.name)"),
          blocks: try BlockDirectory(try Directory.open(blocks)), options: options)
        let end = session.run()
        return (end, session.reason?.code, session.reason?.description ?? "")
      }
      var findings: [String] = []
      // A VMM of root's has no right left to look into others of root's.
      let other = try Sleeper(
        having: try place.directory.openFile("console", .append), isPlain: Host.effectiveUserID == 0)
      // Until it has dropped its rights it cannot be seen.
      var answer = try ask()
      _ = try TestVM.wait {
        if answer.end == .refused { return true }
        answer = try ask()
        return false
      }
      if answer.end != .refused || answer.code != .writers || !answer.reason.contains("\(other.pid)")
        || !answer.reason.contains(path)
      {
        findings.append("refused otherwise: \(answer)")
      }
      other.end()
      answer = try ask()
      if answer.end != .destination { findings.append("after the writer: \(answer)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// The starter's standard output is the console, and whoever started that has it too.
  @Test func whoHasTheSameOpeningIsNoOther() async {
    await Blocking.check {
      let place = try TemporaryDirectory(under: "/tmp")
      let output = try place.directory.openFile("output", .append)
      let vm = try TestVM()
      let starter = try vm.startForeground(["--memory", "16M", "--duty", "30"], output: output)
      var findings: [String] = []
      let isUp = try TestVM.wait { try vm.fsr(["status", vm.name]).code == 0 }
      if !isUp { findings.append("it does not come up") }
      for command in ["check", "handoff", "handoff"] {
        let (code, answer) = try vm.answer(command, ["--max-downtime", "5s"])
        if code != 0 { findings.append("\(command): \(answer)") }
      }
      let other = try Sleeper(having: try place.directory.openFile("output", .append))
      findings += try Self.refusals(vm, other, path: place.path + "/output")
      findings += try vm.stopped().map { "left behind: \($0)" }
      _ = try starter.ended()
      return findings
    }
  }

  @Test func twoVMsDoNotGetOneConsoleFile() async {
    await Blocking.check {
      let place = try TemporaryDirectory(under: "/tmp")
      let path = place.path + "/console"
      let (vm, other) = (try TestVM(), try TestVM())
      try vm.run(["--memory", "16M", "--duty", "30", "--console", path])
      var findings: [String] = []
      let result = try other.fsr(["run", other.name, "--memory", "16M", "--console", path])
      if result.code != 3 || result.errorLines.count != 1 || !result.errors.contains(path) {
        findings.append("\(result)")
      }
      findings += try other.remains().map { "refused, and left behind: \($0)" }
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("\(answer)") }
      findings += try vm.stopped().map { "left behind: \($0)" }
      // It is appended to by the next.
      try other.run(["--memory", "16M", "--duty", "30", "--console", path])
      return findings + (try other.stopped().map { "left behind: \($0)" })
    }
  }
}
