import FSRSystem
import FSRTestSupport
import Testing

/// What is said of a VM whose processes, files or control blocks cannot be seen: never that it is gone while it runs.
@Suite(.serialized) struct LifeProofTests {
  /// With a VM that runs; it is to have run on throughout, unless `ends`.
  private static func check(
    _ options: [String] = [], ends: Bool = false,
    _ body: @escaping @Sendable (TestVM, Int32) throws -> [String]
  ) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "1"] + options)
      guard let pid = try vm.machines().keys.first else { return ["no VMM"] }
      var findings = try body(vm, pid)
      if ends { return findings + (try vm.remains()) }
      if try vm.machines().keys.sorted() != [pid] { findings.append("the VMMs are \(try vm.machines())") }
      return findings + (try vm.stopped())
    }
  }

  /// What `script` says and ends with; `$FSR`, `$NAME` and `--runtime-dir` are the VM's.
  private static func shell(_ vm: TestVM, _ script: String) throws -> BuiltCommand.Result {
    try BuiltCommand.shell(
      script,
      environment: [
        "NAME=\(vm.name)", "FSR_RUNTIME_DIR=\(vm.runtime)", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      ])
  }

  private static func expect(
    _ result: BuiltCommand.Result, _ code: Int32, _ words: [String], _ what: String
  ) -> [String] {
    let isGood =
      result.code == code && result.errorLines.count <= 1
      && words.allSatisfy { (result.output + result.errors).contains($0) }
    return isGood ? [] : ["\(what): \(result)"]
  }

  private static func skip(_ what: String, _ why: String) {
    try? OwnedDescriptor.standardError().write(Array("SKIPPED: \(what): \(why)\n".utf8))
  }

  // MARK: the control blocks are gone

  @Test func withoutItsBlocksItAnswersAndEndsAndKeepsItsName() async {
    await Self.check(ends: true) { vm, pid in
      guard let blocks = vm.blocksPath() else { return ["no blocks"] }
      var findings = Self.expect(try Self.shell(vm, "rm -r \(blocks)"), 0, [], "rm")
      let (code, status) = try vm.answer("status")
      if code != 0 || status["state"]?.text != "running" || status["pid"]?.number != Double(pid) {
        findings.append("status: \(code as Any) \(status)")
      }
      findings += Self.expect(try vm.fsr(["run", vm.name, "--memory", "16M"]), 3, ["in use"], "run")
      for command in ["handoff", "check", "recover", "abort"] {
        findings += Self.expect(
          try vm.fsr([command, vm.name]), 3, [blocks, "`fsr stop \(vm.name) --runtime-dir"], command)
      }
      if try vm.machines().keys.sorted() != [pid] { findings.append("it is \(try vm.machines())") }
      findings += Self.expect(try vm.fsr(["stop", vm.name]), 0, [], "stop")
      return findings
    }
  }

  @Test func withoutItsBlocksOneThatDoesNotEndIsNotStopped() async {
    await Self.check(ends: true) { vm, pid in
      guard let blocks = vm.blocksPath() else { return ["no blocks"] }
      var findings = Self.expect(try Self.shell(vm, "mv \(blocks) \(blocks)-away"), 0, [], "mv")
      try ProcessTable.signal(SignalNumber.stop, pid: pid, of: vm.name)
      if try !TestVM.wait(until: { try vm.machines()[pid] == .stopped }) { findings.append("it goes on") }
      let stop = try vm.fsr(["stop", vm.name])
      // It may be found by other means, and ended; it may not be called stopped and live.
      if try vm.machines().isEmpty == (stop.code != 0) { findings.append("stop: \(stop)") }
      if stop.code != 0 {
        findings += Self.expect(stop, 3, ["is not stopped"], "stop")
        findings += Self.expect(try vm.fsr(["run", vm.name, "--memory", "16M"]), 3, ["in use"], "run")
      }
      _ = try Self.shell(vm, "mv \(blocks)-away \(blocks)")
      try vm.letGo()
      return findings + (stop.code == 0 ? try Self.swept("\(blocks)-away", blocks) : try vm.stopped())
    }
  }

  /// Removes what a test has put aside.
  private static func swept(_ aside: String, _ blocks: String) throws -> [String] {
    _ = try BuiltCommand.shell("rm -rf \(aside) \(blocks)")
    return []
  }

  // MARK: the processes are hidden

  private static let asOther = "unshare --user --map-root-user --pid --fork --mount-proc"

  private static let hasPIDNamespaces: Bool = {
    let result = try? BuiltCommand.shell("\(asOther) true")
    if result?.code == 0 { return true }
    skip("other PID namespaces", result?.errors ?? "no shell")
    return false
  }()

  @Test func anotherNamespaceIsAnsweredAndFreesNothing() async {
    guard Self.hasPIDNamespaces else { return }
    // A guest that root may lock memory for; anybody else's limits may not allow it.
    let options = Host.effectiveUserID == 0 ? ["--reserve", "1M"] : []
    await Self.check(options) { vm, pid in
      var findings: [String] = []
      let status = try Self.shell(vm, "\(Self.asOther) $FSR status $NAME --json")
      findings += Self.expect(status, 0, ["\"pid\":\(pid)", "\"running\""], "status")
      findings += Self.expect(
        try Self.shell(vm, "\(Self.asOther) $FSR list --json"), 0, ["\"running\""], "list")
      if !options.isEmpty {
        for script in ["\(Self.asOther) $FSR ledger --json", "$FSR ledger --json"] {
          findings += Self.expect(
            try Self.shell(vm, script), 0, ["\"alive\":true", "\"vm\":\"\(vm.name)\""], script)
        }
      }
      findings += Self.expect(
        try Self.shell(vm, "\(Self.asOther) $FSR run $NAME --memory 16M"), 3, ["in use"], "run")
      for command in ["handoff", "check", "recover", "abort"] {
        findings += Self.expect(
          try Self.shell(vm, "\(Self.asOther) $FSR \(command) $NAME"), 3,
          ["another PID namespace", "nsenter"], command)
      }
      return findings
    }
  }

  /// Start times, or heartbeats and deadlines, mean something else there: by them a VM would be gone, or a coordinator hang.
  @Test(arguments: ["--boottime 5000", "--monotonic 5000"]) func otherClocksAreNotGoneBy(offset: String) async
  {
    let inside = "unshare --user --map-root-user --time --fork \(offset)"
    let probe = try? BuiltCommand.shell("\(inside) true")
    guard probe?.code == 0 else { return Self.skip("other time namespaces", probe?.errors ?? "no shell") }
    await Self.check { vm, pid in
      var findings = Self.expect(
        try Self.shell(vm, "\(inside) $FSR status $NAME --json"), 0, ["\"pid\":\(pid)", "\"running\""],
        "status")
      findings += Self.expect(
        try Self.shell(vm, "\(inside) $FSR run $NAME --memory 16M"), 3, ["in use"], "run")
      for command in ["handoff", "check", "recover", "abort"] {
        findings += Self.expect(
          try Self.shell(vm, "\(inside) $FSR \(command) $NAME"), 3, ["another time namespace", "nsenter"],
          command)
      }
      return findings
    }
  }

  @Test func anotherNamespaceEndsItByAskingForThat() async {
    guard Self.hasPIDNamespaces else { return }
    await Self.check(ends: true) { vm, _ in
      Self.expect(try Self.shell(vm, "\(Self.asOther) $FSR stop $NAME"), 0, [], "stop")
    }
  }

  @Test func anotherNamespaceDoesNotCallOneLostThatHangs() async {
    guard Self.hasPIDNamespaces else { return }
    await Self.check(ends: true) { vm, pid in
      try ProcessTable.signal(SignalNumber.stop, pid: pid, of: vm.name)
      var findings: [String] = []
      if try !TestVM.wait(until: { try vm.machines()[pid] == .stopped }) { findings.append("it goes on") }
      findings += Self.expect(
        try Self.shell(vm, "\(Self.asOther) $FSR status $NAME"), 3, ["another PID namespace"], "status")
      findings += Self.expect(
        try Self.shell(vm, "\(Self.asOther) $FSR stop $NAME"), 3, ["another PID namespace"], "stop")
      // It was told to end, and hears that once it goes on.
      try vm.letGo()
      if try !TestVM.wait(until: { try vm.machines().isEmpty }) { findings.append("it does not end") }
      return findings
    }
  }

  @Test func oneThatIsDeadIsLostInEveryNamespace() async {
    guard Self.hasPIDNamespaces else { return }
    await Self.check(ends: true) { vm, pid in
      try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
      var findings: [String] = []
      if try !TestVM.wait(until: { try vm.machines().isEmpty }) { findings.append("it does not die") }
      for command in ["status", "handoff", "check", "recover", "abort"] {
        findings += Self.expect(
          try Self.shell(vm, "\(Self.asOther) $FSR \(command) $NAME"), 6, ["is lost"], command)
      }
      return findings + Self.expect(try Self.shell(vm, "\(Self.asOther) $FSR stop $NAME"), 0, [], "stop")
    }
  }

  /// A /proc that shows processes and nothing else, and none at all.
  @Test(arguments: [
    "mount -t proc -o subset=pid proc /proc", "mount -t tmpfs tmpfs /proc",
  ])
  func withoutAllOfProcNothingTrapsAndNothingIsCalledGone(preparation: String) async {
    let inside = "unshare --mount sh -c"
    let probe = try? BuiltCommand.shell("\(inside) '\(preparation)'")
    guard probe?.code == 0 else { return Self.skip("/proc of one's own", probe?.errors ?? "no shell") }
    await Self.check { vm, _ in
      func result(_ command: String) throws -> BuiltCommand.Result {
        try Self.shell(vm, "export FSR; \(inside) '\(preparation) && exec \"$FSR\" \(command)'")
      }
      var findings = Self.expect(try result("--version"), 0, ["fsr"], "--version")
      findings += Self.expect(try result("--help"), 0, ["Exit codes"], "--help")
      for command in [
        "run other --memory 16M", "demo", "handoff $NAME", "check $NAME", "recover $NAME", "abort $NAME",
      ] {
        let refused = try result(command)
        let isRefused = refused.code == 3 || refused.code == 1
        if !isRefused || !refused.errors.contains("/proc") || refused.errors.contains("Fatal") {
          findings.append("\(command): \(refused)")
        }
      }
      for command in ["status $NAME", "list"] {
        let answer = try result(command)
        // A list says of each VM what it can.
        let isTold =
          answer.output.contains("running") || command == "list" && answer.output.contains("unknown")
        let isRefused = [1, 3].contains(answer.code) && answer.errors.contains("/proc")
        if !(answer.code == 0 && isTold), !isRefused {
          findings.append("\(command): \(answer)")
        }
      }
      return findings
    }
  }

  // MARK: cleaners

  @Test func aCleanerLeavesAVMAlone() async {
    guard
      (try? BuiltCommand.shell("command -v systemd-tmpfiles", environment: ["PATH=/usr/bin:/bin"]))?.code == 0
    else { return Self.skip("cleaners", "no systemd-tmpfiles here") }
    await Self.check { vm, _ in
      let script = """
        printf 'd %s - - - 0\\n' "$FSR_RUNTIME_DIR" > "$FSR_RUNTIME_DIR"/../$NAME.conf
        systemd-tmpfiles --clean --prefix="$FSR_RUNTIME_DIR" "$FSR_RUNTIME_DIR"/../$NAME.conf 2> /dev/null
        rm "$FSR_RUNTIME_DIR"/../$NAME.conf; ls "$FSR_RUNTIME_DIR"/$NAME
        """
      return Self.expect(try Self.shell(vm, script), 0, ["control.sock", "log", "blocks"], "clean")
        + Self.expect(try vm.fsr(["status", vm.name, "--json"]), 0, ["\"running\""], "status")
    }
  }

  // MARK: who is dead, and who cannot look

  @Test(arguments: [true, false]) func aRecoveryNamesNobodyWhoIsDead(hasHandedOver: Bool) async {
    await Self.check(ends: true) { vm, pid in
      var findings: [String] = []
      // The block of a check says that the source runs, and that all was reported.
      if !hasHandedOver { findings += Self.expect(try vm.fsr(["check", vm.name]), 0, [], "check") }
      try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
      if try !TestVM.wait(until: { try vm.machines().isEmpty }) { findings.append("it does not die") }
      let (code, answer) = try vm.answer("recover")
      if code != 6 || answer["owner"]?.text != "none" || answer["pid"] != .null {
        findings.append("recover: \(code as Any) \(answer)")
      }
      for command in ["status", "handoff", "abort", "check", "recover"] {
        findings += Self.expect(try vm.fsr([command, vm.name]), 6, ["is lost"], command)
      }
      return findings + Self.expect(try vm.fsr(["stop", vm.name]), 0, [], "stop")
    }
  }

  /// However few descriptors a command has: it does what it is for, or says that they are too few.
  @Test(arguments: ["status", "check", "recover", "abort", "list", "ledger", "pause"])
  func aCommandWithFewDescriptorsSaysSo(command: String) async {
    await Self.check { vm, _ in
      var findings: [String] = []
      for limit in 4...14 {
        let words = ["list", "ledger"].contains(command) ? command : "\(command) $NAME"
        let result = try Self.shell(vm, "ulimit -n \(limit); exec \"$FSR\" \(words)")
        let isDone: Bool = [0, 4].contains(result.code) && !result.output.contains("lost")
        let isSaid = [1, 3, 127].contains(result.code) && result.errors.contains("oo many open files")
        let said = Set(result.output.split(whereSeparator: \.isWhitespace))
        if !isDone && !isSaid || said.contains("ended") || said.contains("unknown") {
          findings.append("\(limit): \(result)")
        }
      }
      _ = try vm.fsr(["resume", vm.name])
      return findings
    }
  }

  @Test func aListWaitsForAllThatHangAtOnce() async {
    await Blocking.check {
      let vm = try TestVM()
      let names = (0..<6).map { "\(vm.name)-\($0)" }
      var findings: [String] = []
      for name in names {
        findings += Self.expect(try vm.fsr(["run", name, "--memory", "1M", "--duty", "1"]), 0, [], "run")
        for pid in try ProcessTable.machines(named: name).keys {
          try ProcessTable.signal(SignalNumber.stop, pid: pid, of: name)
        }
      }
      let begin = MonotonicClock.now()
      let list = try vm.fsr(["list"])
      let one = try { () throws -> UInt64 in
        let begin = MonotonicClock.now()
        _ = try vm.fsr(["status", names[0]])
        return MonotonicClock.now() - begin
      }()
      let all = MonotonicClock.now() - begin - one
      if all > one * 4 { findings.append("one takes \(one) ns, and all \(all)") }
      if list.output.split(separator: "running, no answer").count != names.count + 1 {
        findings.append("\(list)")
      }
      for name in names { findings += Self.expect(try vm.fsr(["stop", name]), 0, [], "stop") }
      return findings
    }
  }
}
