import FSRSystem
import FSRTestSupport
import Testing

/// VMs whose files somebody has written over, cut short or taken away: every command says one thing with a code, and a
/// stop ends them.
@Suite(.serialized) struct SpoiltVMTests {
  /// One way to spoil a VM's files, as a shell does it with the newest block's path in $BLOCK, and whether the block is of
  /// no use then.
  struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    let script: String
    var isOfNoUse = true
    var testDescription: String { name }
  }

  private static let ways: [Way] = [
    Way(name: "bad magic", script: "printf '\\0\\0' | dd of=\"$BLOCK\" conv=notrunc bs=1"),
    Way(
      name: "bad word",
      script: "printf '\\377\\377\\377\\377\\377' | dd of=\"$BLOCK\" conv=notrunc bs=1 seek=64"),
    Way(name: "zeros", script: "dd if=/dev/zero of=\"$BLOCK\" conv=notrunc bs=8192 count=1"),
    Way(name: "cut to nothing", script: "truncate -s 0 \"$BLOCK\""),
    Way(name: "cut in two", script: "truncate -s 4096 \"$BLOCK\""),
    Way(name: "no block", script: "rm \"$BLOCK\""),
    Way(name: "no blocks", script: "rm -r \"${BLOCK%/*}\""),
    Way(
      name: "noise in the lock", script: "head -c 40 /dev/urandom | dd of=\"$VM/lock\" conv=notrunc",
      isOfNoUse: false),
    Way(name: "no socket", script: "rm \"$VM/control.sock\"", isOfNoUse: false),
  ]

  @Test(arguments: ways) func aVMWithSpoiltFilesIsStopped(_ way: Way) async {
    await Blocking.check { try Self.findings(way, isFrozen: false) }
  }

  @Test func aVMWithSpoiltFilesIsStoppedAlsoWhereItDoesNotAnswer() async {
    await Blocking.check { try Self.ways.flatMap { try Self.findings($0, isFrozen: true) } }
  }

  private static func findings(_ way: Way, isFrozen: Bool) throws -> [String] {
    let vm = try TestVM()
    try vm.run(["--memory", "16M", "--duty", "30"])
    guard let blocks = vm.blocksPath(), let newest = try vm.blockNames().first,
      let pid = try vm.machines().keys.first
    else { throw Unexpected("no VM") }
    let folder = "\(vm.runtime)/\(vm.name)"
    let spoilt = try BuiltCommand.shell("BLOCK=\(blocks)/\(newest); VM=\(folder); \(way.script) 2> /dev/null")
    if spoilt.code != 0 { throw Unexpected("\(way.name): \(spoilt)") }
    if isFrozen { try ProcessTable.signal(SignalNumber.stop, pid: pid, of: vm.name) }
    var findings: [String] = []
    for command in ["status", "list", "check", "handoff", "abort", "recover", "history"] where !isFrozen {
      let arguments = [command] + (command == "list" ? [] : [vm.name])
      let result = try vm.fsr(arguments + ["--json"])
      // Of whatever code: it ends by itself, answers once, and complains in one line.
      let isOrderly = result.code.map { (0..<8).contains($0) } ?? false
      if !isOrderly || !result.answersOnce || result.code != 0 && !result.complainsOnce {
        findings.append("\(command): \(result)")
      }
      if command == "handoff", way.isOfNoUse, result.code == 0 || result.code == 6 {
        findings.append("a handoff over a block that is of no use: \(result)")
      }
    }
    let owner = try vm.machines()
    if owner.isEmpty { findings.append("no VMM lives") }
    findings += try vm.stopped()
    return findings.map { "\(way.name)\(isFrozen ? ", frozen" : ""): \($0)" }
  }

  /// Blocks that are there and of no use: who had the VM is said by the folder alone.
  @Test(arguments: ways.filter { $0.isOfNoUse && !$0.name.hasPrefix("no ") })
  func aVMWithASpoiltBlockThatNobodyHasIsLost(_ way: Way) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30"])
      guard let blocks = vm.blocksPath(), let newest = try vm.blockNames().first,
        let pid = try vm.machines().keys.first
      else { throw Unexpected("no VM") }
      try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
      let isGone = try TestVM.wait { try vm.machines().isEmpty }
      let spoilt = try BuiltCommand.shell("BLOCK=\(blocks)/\(newest); \(way.script) 2> /dev/null")
      var findings = isGone && spoilt.code == 0 ? [] : ["\(spoilt)"]
      for command in [
        "status", "check", "handoff", "recover", "abort", "pause", "resume", "console",
      ] {
        let result = try vm.fsr([command, vm.name] + (command == "console" ? ["--read-only"] : []))
        if result.code != 6 || !result.complainsOnce || !result.errors.contains("is lost")
          || !result.errors.contains("`fsr stop \(vm.name)")
        {
          findings.append("\(command): \(result)")
        }
      }
      let list = try vm.fsr(["list", "--json"])
      if list.code != 0 || !list.output.contains("\"lost\"") { findings.append("list: \(list)") }
      let history = try vm.fsr(["history", vm.name, "--json"])
      if history.code != 0 || !history.answersOnce { findings.append("history: \(history)") }
      let run = try vm.fsr(["run", vm.name, "--memory", "16M"])
      if run.code != 3 || !run.errors.contains("is lost") { findings.append("run: \(run)") }
      return (findings + (try vm.stopped())).map { "\(way.name): \($0)" }
    }
  }

  @Test func aBlockThatIsCutShortEndsNoVMM() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30"])
      guard let blocks = vm.blocksPath(), let newest = try vm.blockNames().first else {
        throw Unexpected("no blocks")
      }
      let before = try vm.machines()
      let cut = try BuiltCommand.shell("truncate -s 0 \(blocks)/\(newest)")
      var findings = cut.code == 0 ? [] : ["\(cut)"]
      // Its VMM reads the block for each of these.
      for _ in 0..<3 { _ = try vm.fsr(["handoff", vm.name]) }
      let after = try vm.machines()
      if Set(after.keys) != Set(before.keys) { findings.append("\(before) became \(after)") }
      return findings + (try vm.stopped())
    }
  }

  // MARK: a handoff

  /// What a destination does once the checkpoint is complete.
  private static let spoilers = ["spoils-the-word", "spoils-the-block", "cuts-the-block"]

  /// Runs `body` over a VM whose guest stands still for a destination of this name, and answers what that found and how
  /// the handoff ended.
  private static func handOver(
    to spoiler: String, _ body: (TestVM) throws -> [String]
  ) throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory(under: "/tmp")
    try vm.run(["--memory", "16M", "--duty", "30"])
    let link = try BuiltCommand.shell("cp \(BuiltCommand.path(of: "OtherVMM")) \(place.path)/\(spoiler)")
    if link.code != 0 { throw Unexpected("\(link)") }
    let result = try BuiltCommand.shell(
      "TIMEFORMAT='spent %U %S'; time \"$FSR\" handoff \(vm.name) --runtime-dir \(vm.runtime) "
        + "--to \(place.path)/\(spoiler) --timeout 4s --max-downtime 500ms")
    var findings: [String] = []
    if result.code != 5 || !result.errors.contains("written over")
      || !result.errors.contains("`fsr stop \(vm.name) --runtime-dir")
      || result.errors.contains("no reason was given")
    {
      findings.append("handoff: \(result)")
    }
    // Whoever spins for four seconds needs more, also where it has to share a processor.
    let spent = result.errors.split(separator: "\n").last { $0.hasPrefix("spent ") }?.split(separator: " ")
    let seconds = (spent ?? []).dropFirst().compactMap { Double(String($0)) }.reduce(0, +)
    if seconds > 1 { findings.append("it needed \(seconds) s of a processor") }
    findings += try body(vm)
    return findings.map { "\(spoiler): \($0)" }
  }

  @Test func aHandoffWhoseWordIsWrittenOverEndsAndTheVMIsStopped() async {
    await Blocking.check {
      try Self.spoilers.flatMap { spoiler in
        try Self.handOver(to: spoiler) { vm in
          var findings: [String] = []
          let (code, answer) = try vm.answer("recover")
          if code != 3 || answer["reason"]?.text?.contains("`fsr stop \(vm.name) --runtime-dir") != true {
            findings.append("recover: \(code as Any) \(answer)")
          }
          return findings + (try vm.stopped())
        }
      }
    }
  }

  @Test func theVMMOfSuchAHandoffEndsByASignal() async {
    await Blocking.check {
      try Self.spoilers.flatMap { spoiler in
        try Self.handOver(to: spoiler) { vm in
          // The one that started the other.
          guard let source = try vm.machines().keys.min() else { return ["no VMM"] }
          try ProcessTable.signal(SignalNumber.terminate, pid: source, of: vm.name)
          let isOver = try TestVM.wait { try vm.machines().isEmpty }
          return (isOver ? [] : ["VMMs \(try vm.machines())"]) + (try vm.remains())
        }
      }
    }
  }
}
