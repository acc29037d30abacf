import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// What a guest's own end means to commands, history and a handoff under way.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
struct GuestEndTests {
  private static func put(_ text: String) -> String {
    "li t0, 0x10000000\n li t1, '\(text)'\n sb t1, 0(t0)\n"
  }

  private static func store(_ word: String) -> String {
    "li t5, 0x100000\n li t6, \(word)\n sw t6, 0(t5)\n 1: j 1b\n"
  }

  /// Waits until a byte is typed.
  private static let waitForKey =
    "li s0, 0x10000000\n 1: lbu t0, 5(s0)\n andi t0, t0, 1\n beqz t0, 1b\n lbu s1, 0(s0)\n"

  private static func guest(_ text: String, in place: borrowing TemporaryDirectory) throws -> String {
    try place.directory.openFile("guest", .createNew).write(try GuestProgram.assemble(text))
    return place.path + "/guest"
  }

  private static func history(_ vm: TestVM) throws -> [String] {
    let folder = try Directory.open("\(vm.runtime)/\(vm.name)")
    let text = String(decoding: try folder.openFile("history", .read).readAll(limit: 1 << 20), as: UTF8.self)
    return try text.split(separator: "\n").map { line in
      let record = try JSONValue(parsing: String(line))
      return "\(record["event"]?.text ?? "-"): \(record["reason"]?.text ?? "-")"
    }
  }

  @Test(arguments: [
    (store("0x5555"), 0 as Int32, "passed"), (store("0x2a3333"), 1, "failed 42"), ("unimp", 1, "crashed 1 0"),
  ]) func aForegroundRunEndsWithTheGuest(text: String, code: Int32, reason: String) async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      let path = try Self.guest(text, in: place)
      let result = try vm.fsr(["run", vm.name, "--memory", "2M", "--foreground", "--guest", path])
      var findings: [String] = []
      if result.code != code || result.errorLines.count != Int(code) { findings.append("run: \(result)") }
      // Not waited for, it is found in the history.
      try vm.run(["--memory", "2M", "--guest", path])
      let hasEnded = try TestVM.wait { try vm.answer("status").code == 7 }
      if !hasEnded { findings.append("it never ends") }
      for command in ["status", "check", "handoff", "abort", "recover", "pause", "resume"] {
        let (code, answer) = try vm.answer(command)
        if code != 7 || answer["reason"]?.text?.contains("has ended by itself") != true {
          findings.append("\(command) ended with \(code ?? -1): \(answer)")
        }
      }
      let history = try Self.history(vm)
      if history != ["ended: \(reason)"] { findings.append("history: \(history)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aHandoffAroundTheEndNeverCallsTheGuestLost() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let path = try Self.guest(Self.waitForKey + Self.store("0x5555"), in: place)
      var findings: [String] = []
      for _ in 1...6 {
        let vm = try TestVM()
        try vm.run(["--memory", "2M", "--guest", path])
        let output = try place.directory.openFile("output", .append)
        var handoffs: [Owned<ChildProcess>] = []
        for _ in 1...3 { handoffs.append(Owned(try vm.startHandoff([], output: output))) }
        _ = try vm.type("x")
        for handoff in handoffs {
          guard case .exited = try handoff.value.ended() else {
            findings.append("a handoff never ends")
            continue
          }
        }
        let hasEnded = try TestVM.wait { try vm.answer("recover").code == 7 }
        if !hasEnded { findings.append("it never ends") }
        findings += try vm.stopped().map { "left behind: \($0)" }
      }
      let said = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 20), as: UTF8.self)
      if said.contains("is lost") || said.contains("never started") { findings.append(said) }
      return findings
    }
  }

  @Test func aGuestWhoseLastWordsNobodyTakesIsAnsweredForAndStopped() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let path = place.path + "/fifo"
      // SAFETY: the C string lives for the call.
      guard unsafe mkfifo(path, 0o600) == 0 else { return ["no FIFO"] }
      let reader = Owned(try OwnedDescriptor.open(path, .readWrite))
      let vm = try TestVM()
      // More than a pipe takes.
      let text = "li t0, 0x10000000\n li t1, 200000\n 2: sb t1, 0(t0)\n addi t1, t1, -1\n bnez t1, 2b\n"
      try vm.run([
        "--memory", "2M", "--guest", try Self.guest(text + Self.store("0x5555"), in: place), "--console",
        path,
      ])
      var findings: [String] = []
      let isEnding = try TestVM.wait {
        let (code, answer) = try vm.answer("status")
        return code == 7 || answer["state"]?.text == "ending"
      }
      if !isEnding { findings.append("status: \(try vm.answer("status"))") }
      // Turned away by who writes them, or by who finds them written; with what helps, which is no second try.
      for command in ["check", "handoff"] {
        let (code, answer) = try vm.answer(command)
        let reason = answer["reason"]?.text ?? ""
        if code != 7 && code != 4 || !reason.contains("ended") || !reason.contains("`fsr stop \(vm.name)")
          || reason.contains("try again")
        {
          findings.append("\(command): \(code ?? -1) \(answer)")
        }
      }
      findings += try vm.stopped().map { "left behind: \($0)" }
      _ = reader
      return findings
    }
  }

  @Test func withoutAConsoleFileAGuestThatHasPrintedEndsAsAnyOther() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      let path = try Self.guest(Self.put("g") + Self.store("0x5555"), in: place)
      try vm.run(["--memory", "2M", "--guest", path])
      let hasEnded = try TestVM.wait { try vm.answer("status").code == 7 }
      var findings = hasEnded ? [] : ["it never ends"]
      let isGone = try TestVM.wait { try vm.machines().isEmpty }
      if !isGone { findings.append("its VMM stays") }
      let console = try vm.fsr(["log", vm.name])
      if console.output.contains("dropped") { findings.append(console.output) }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// Counts its starts where a reset does not clear, and ends well the third time.
  private static let restarting =
    "li s2, 0x80080000\n ld s3, 0(s2)\n addi s3, s3, 1\n sd s3, 0(s2)\n" + put("r") + waitForKey
    + "li t0, 3\n beq s3, t0, 2f\n" + store("0x7777") + "2:\n" + store("0x5555")

  @Test func aResetStartsTheGuestAnewWhereverItIs() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      try vm.run([
        "--memory", "2M", "--guest", try Self.guest(Self.restarting, in: place), "--console",
        place.path + "/console",
      ])
      var findings: [String] = []
      for start in 1...3 {
        let isUp = try TestVM.wait {
          try place.directory.openFile("console", .read).readAll(limit: 100).count == start
        }
        if !isUp { findings.append("start \(start) never comes") }
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff \(start): \(answer)") }
        _ = try vm.type("x")
      }
      let hasEnded = try TestVM.wait { try vm.answer("status").code == 7 }
      if !hasEnded { findings.append("it never ends") }
      let history = try Self.history(vm)
      if history.filter({ $0.hasPrefix("handoff") }).count != 3 { findings.append("history: \(history)") }
      if !history.contains(where: { $0.hasPrefix("reset: the guest asked for it") }) {
        findings.append("history: \(history)")
      }
      if history.last != "ended: passed" { findings.append("history: \(history)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func withoutRestartsAResetEndsTheVM() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      let result = try vm.fsr([
        "run", vm.name, "--memory", "2M", "--foreground", "--no-reboot", "--guest",
        try Self.guest(Self.store("0x7777"), in: place),
      ])
      var findings: [String] = []
      if result.code != 1 || result.errorLines.count != 1 { findings.append("run: \(result)") }
      return findings + (try vm.remains().map { "left behind: \($0)" })
    }
  }

  @Test func anEndBeforeTheStunCallsTheHandoffOff() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      try vm.run([
        "--memory", "2M", "--guest",
        try Self.guest(Self.put("g") + Self.waitForKey + Self.store("0x5555"), in: place),
        "--console", place.path + "/console",
      ])
      var findings: [String] = []
      let output = try place.directory.openFile("output", .append)
      // A destination that stands still in its preparation gives the guest time to end.
      let handoff = try vm.startHandoff(
        ["--timeout", "50s", "--fault", "destination:prepare:stop"], output: output)
      let isStopped = try TestVM.wait { try vm.machines().contains { $0.value == .stopped } }
      if !isStopped { findings.append("no destination stands still") }
      _ = try vm.type("x")
      let status = try handoff.ended()
      let said = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 16), as: UTF8.self)
      if status != .exited(4) { findings.append("handoff ended with \(String(describing: status)): \(said)") }
      try vm.letGo()
      let isAsExpected = try TestVM.wait { try vm.answer("status").code == 7 }
      if !isAsExpected { findings.append("status: \(try vm.answer("status"))") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
