import FSRSystem
import FSRTestSupport
import Testing

/// Guests that are started anew: beside handoffs, again and again, in memory that is paged or kept.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
struct ResetTests {
  private static let reset = "li t5, 0x100000\n li t6, 0x7777\n sw t6, 0(t5)\n 1: j 1b\n"

  private static func guest(_ text: String, in place: borrowing TemporaryDirectory) throws -> String {
    try place.directory.openFile("guest", .createNew).write(try GuestProgram.assemble(text))
    return place.path + "/guest"
  }

  private static func records(_ vm: TestVM) throws -> [JSONValue] {
    try vm.answer("history").value["handoffs"]?.elements ?? []
  }

  @Test func resetsInARowStarveNoHandoffAndFillNoHistory() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      try vm.run(["--memory", "2M", "--guest", try Self.guest(Self.reset, in: place)])
      var findings: [String] = []
      for round in 1...3 {
        for command in ["check", "handoff"] {
          let (code, answer) = try vm.answer(command, ["--max-downtime", "5s"])
          if code != 0 { findings.append("\(command) \(round): \(answer)") }
        }
        let state = try vm.answer("status").value["state"]?.text
        if state != "running", state != "reset" { findings.append("state: \(state ?? "-")") }
      }
      let records = try Self.records(vm)
      if records.count(where: { $0["victor"]?.text == "destination" }) != 3 { findings.append("\(records)") }
      let resets = records.filter { $0["event"]?.text == "reset" }
      if resets.isEmpty || resets.count > 100 { findings.append("\(resets.count) records of resets") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// Counts its resets where no image is, until it sees that somebody types, for which it looks most of the time; then prints the count, in eight bytes.
  private static let counting =
    """
    li s0, 0x10000000
    li s2, 0x80100000
    ld s3, 0(s2)
    li t1, 20000
    4: lbu t0, 5(s0)
    andi t0, t0, 1
    bnez t0, tell
    addi t1, t1, -1
    bnez t1, 4b
    addi s3, s3, 1
    sd s3, 0(s2)
    """ + "\n" + reset + """
      tell:
      li t0, 8
      2: sb s3, 0(s0)
      srli s3, s3, 8
      addi t0, t0, -1
      bnez t0, 2b
      3: j 3b
      """

  /// How many resets the history tells of.
  private static func told(_ vm: TestVM) throws -> Int {
    try records(vm).filter { $0["event"]?.text == "reset" }.reduce(0) { sum, record in
      let words = record["reason"]?.text?.split(separator: " ") ?? []
      return sum + (words.count > 5 ? Int(words[5]) ?? 0 : 1)
    }
  }

  @Test func noResetIsLeftOutOfTheHistoryOverHandoffs() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      let path = place.path + "/console"
      try vm.run(["--memory", "2M", "--guest", try Self.guest(Self.counting, in: place), "--console", path])
      var findings: [String] = []
      for fault in [[], ["--fault", "destination:verify:kill"], []] {
        let before = try Self.told(vm)
        if try !TestVM.wait(until: { try Self.told(vm) > before }) { findings.append("no resets are told") }
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"] + fault)
        if code != (fault.isEmpty ? 0 : 4) { findings.append("handoff: \(answer)") }
      }
      // What is typed as the guest is reset goes with it.
      var printed: [UInt8] = []
      let isPrinted = try TestVM.wait {
        _ = try vm.type("x")
        printed = try place.directory.openFile("console", .read).readAll(limit: 100)
        return printed.count >= 8
      }
      let count = printed.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      // Whoever gives the guest away has told all.
      let last = try vm.answer("handoff", ["--max-downtime", "5s"])
      if last.code != 0 { findings.append("\(last)") }
      let told = try Self.told(vm)
      if !isPrinted || told != count { findings.append("\(told) of \(count) resets are told") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// Asks for a reset once, and stands: nothing but the reset touches its 8 MiB of zeros.
  private static let untouched =
    """
    li s2, 0x80e00000
    ld s3, 0(s2)
    addi s4, s3, 1
    sd s4, 0(s2)
    beqz s3, again
    2: j 2b
    again:
    """ + "\n" + reset + """
      .section .bss, "aw", @nobits
      .balign 4096
      .zero 0x800000
      """

  @Test func whatIsReservedStaysInMemoryOverAReset() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      try vm.run([
        "--memory", "16M", "--reserve", "4M", "--guest", try Self.guest(Self.untouched, in: place),
      ])
      let isReset = try TestVM.wait { try Self.told(vm) == 1 }
      let memory = try vm.status()["memory"]
      let resident = memory?["resident_pages"]?.number ?? 0
      let findings =
        isReset && resident >= 1024 ? [] : ["\(resident) pages are there: \(memory as Any)"]
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// Prints `g`, and asks for a reset when something is typed.
  private static let typed =
    "li s0, 0x10000000\n li t1, 'g'\n sb t1, 0(s0)\n 1: lbu t0, 5(s0)\n andi t0, t0, 1\n beqz t0, 1b\n"
    + "lbu s1, 0(s0)\n" + reset

  /// Types at it, and waits for the start that comes of that; answers what is wrong.
  private static func resets(_ vm: TestVM, seenIn place: borrowing TemporaryDirectory, _ what: String) throws
    -> [String]
  {
    func starts() throws -> Int {
      try place.directory.openFile("console", .read).readAll(limit: 1000).count
    }
    let before = try starts()
    _ = try vm.type("x")
    return try TestVM.wait { try starts() == before + 1 } ? [] : ["\(what): the guest is not started anew"]
  }

  @Test func aResetWhileAHandoffIsPreparedIsServedAndTheHandoffGoesOn() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM(limits: BuiltCommand.limits("scale=100"))
      try vm.run([
        "--memory", "2M", "--guest", try Self.guest(Self.typed, in: place), "--console",
        place.path + "/console",
      ])
      _ = try TestVM.wait { try place.directory.openFile("console", .read).readAll(limit: 9).count == 1 }
      let output = try place.directory.openFile("output", .append)
      // A destination that stands still in its preparation gives the guest time for a reset. By its limits the source waits
      // for it far longer than for anything here.
      let handoff = try vm.startHandoff(
        ["--timeout", "30m", "--max-downtime", "5m", "--fault", "destination:prepare:stop"], output: output)
      let isStopped = try TestVM.wait { try vm.machines().contains { $0.value == .stopped } }
      var findings = isStopped ? [] : ["no destination stands still"]
      findings += try Self.resets(vm, seenIn: place, "while a handoff is prepared")
      try vm.letGo()
      let status = try handoff.ended()
      // There it is started anew as well.
      findings += try Self.resets(vm, seenIn: place, "behind the handoff")
      if status != .exited(0) {
        let said = try place.directory.openFile("output", .read).readAll(limit: 1 << 16)
        findings.append("handoff ended with \(status as Any): \(String(decoding: said, as: UTF8.self))")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// A limit that leaves no thread for the reset is no matter of the guest's: it stands until there is one.
  @Test func aResetForWhichThereIsNoThreadIsServedOnceThereIsOne() throws {
    guard Host.effectiveUserID == 0 else {
      try OwnedDescriptor.standardError().write(Array("SKIPPED: limits of another user: not root\n".utf8))
      return
    }
    let bad = try BadInput()
    _ = try bad.file(
      "guest", try GuestProgram.assemble("li t0, 20000000\n 4: addi t0, t0, -1\n bnez t0, 4b\n" + Self.reset))
    // No other process has this user.
    let result = try bad.shell(
      """
      as="setpriv --reuid 54327 --regid 54327 --clear-groups"
      mkdir -m 700 "$VMS" && chown 54327:54327 "$VMS" guest && chmod 755 .
      fsr() { $as "$FSR" "$@" $NAME --runtime-dir "$VMS"; }
      told() { fsr history --json | grep -o '"event":"reset"' | wc -l; }
      $as "$FSR" run $NAME --memory 2M --guest guest --runtime-dir "$VMS" > /dev/null || exit 90
      VM=$(fsr status --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      $as prlimit --pid $VM --nproc=1: || exit 91
      for n in $(seq 600); do grep -q 'cannot be reset yet' "$VMS/$NAME/log" && break; sleep 0.1; done
      grep -c 'cannot be reset yet.*limit of processes' "$VMS/$NAME/log"
      before=$(told); $as prlimit --pid $VM --nproc=1000: || exit 92
      for n in $(seq 600); do [ $(told) -gt $before ] && break; sleep 0.1; done
      [ $(told) -gt $before ] && echo reset; kill -0 $VM && echo lives
      fsr stop > /dev/null; rm guest
      """)
    #expect(result.code == 0 && result.output == "1\nreset\nlives\n", "\(result)")
  }

  /// Fills 24 MiB that the image has as zeros with words that do not shrink, asks for a reset, and looks whether they are
  /// zeros again. What it counts lies where no image is.
  private static let filling = """
    li s2, 0x82800000
    ld s3, 0(s2)
    addi s4, s3, 1
    sd s4, 0(s2)
    la s5, area
    li s6, 0x1800000
    add s6, s5, s6
    bnez s3, look
    li t0, 88172645463325252
    fill:
    slli t1, t0, 13
    xor t0, t0, t1
    srli t1, t0, 7
    xor t0, t0, t1
    slli t1, t0, 17
    xor t0, t0, t1
    sd t0, 0(s5)
    addi s5, s5, 8
    bltu s5, s6, fill
    li t5, 0x100000
    li t6, 0x7777
    sw t6, 0(t5)
    2: j 2b
    look:
    ld t0, 0(s5)
    bnez t0, wrong
    addi s5, s5, 8
    bltu s5, s6, look
    """ + "\n" + GuestProgram.finish + """
      wrong:
      li t5, 0x100000
      li t6, 0x2a3333
      sw t6, 0(t5)
      3: j 3b
      .section .bss, "aw", @nobits
      .balign 64
      .zero 100
      area: .zero 0x1800000
      """

  private static func check(_ options: [String]) async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      var options = options
      if options.contains("--resident") { options += ["--swap", place.path + "/swap"] }
      try vm.run(["--memory", "64M", "--guest", try guest(filling, in: place)] + options)
      let hasEnded = try TestVM.wait { try vm.answer("status").code == 7 }
      var findings = hasEnded ? [] : ["it never ends: \(try vm.answer("status"))"]
      let records = try records(vm).map { "\($0["event"]?.text ?? "-"): \($0["reason"]?.text ?? "-")" }
      if records != ["reset: the guest asked for it", "ended: passed"] { findings.append("\(records)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test(arguments: [[], ["--reserve", "4M"]]) func zerosAreZerosAgain(options: [String]) async {
    await Self.check(options)
  }

  @Test(
    .enabled(if: hasUserFault()),
    arguments: [
      ["--resident", "8M"], ["--resident", "8M", "--compression", "4M"],
      ["--resident", "12M", "--reserve", "4M"],
    ]) func pagedZerosAreZerosAgain(options: [String]) async
  {
    await Self.check(options)
  }
}
