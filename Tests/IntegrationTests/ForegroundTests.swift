import FSRSystem
import FSRTestSupport
import Testing

/// A `fsr run --foreground`, which stays while its VM goes from process to process.
@Suite(.serialized) struct ForegroundTests {
  @Test func aForegroundRunOutlastsHandoffs() async {
    await Blocking.check { try Self.findings() }
  }

  /// The result of a guest's work is what it says last.
  @Test(.enabled(if: GuestProgram.isClangThere)) func aSlowReaderGetsAGuestsLastWords() async {
    await Blocking.check { try Self.lastWords() }
  }

  @Test(.enabled(if: GuestProgram.isClangThere)) func aTerminalThatStandsStillHoldsUpNoHandoff() async {
    await Blocking.check { try Self.stalledTerminal() }
  }

  /// More than a pipe or a terminal holds, and less than the console keeps.
  private static let talk = 300_000

  /// A guest that says so much, and then does what `end` says.
  private static func talker(end: String, in place: borrowing TemporaryDirectory) throws -> String {
    let guest = try GuestProgram.assemble(
      """
      li s0, 0x10000000
      li s1, 0
      li s2, \(talk)
      1:
      andi t0, s1, 63
      addi t0, t0, 48
      sb t0, 0(s0)
      addi s1, s1, 1
      bltu s1, s2, 1b
      \(end)
      2:
      j 2b
      """)
    try place.directory.openFile("guest", .createNew).write(guest)
    return place.path + "/guest"
  }

  private static func stalledTerminal() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    let guest = try talker(end: "", in: place)
    let terminal = try PseudoTerminal()
    // So that what fits is no multiple of what is written at once: the terminal takes a part, and the rest would wait.
    let noise = [UInt8](repeating: 0x2e, count: 1000)
    try terminal.program.write(noise)
    let runner = try vm.startForeground(["--memory", "2M", "--guest", guest], output: terminal.program)
    var findings: [String] = []
    for index in 1...3 {
      if try !vm.advances() { findings.append("it never runs") }
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("handoff \(index): \(answer)") }
    }
    var output: [UInt8] = []
    while output.count < noise.count + talk {
      var poller = Poller()
      poller.watch(terminal.person, token: 0)
      if try poller.wait(timeout: TestVM.timeout).isEmpty { break }
      output += try terminal.person.read(limit: 1 << 16)
    }
    if output != noise + (0..<talk).map({ UInt8($0 & 63) + 48 }) {
      findings.append("\(output.count) bytes came: \(String(decoding: output.suffix(200), as: UTF8.self))")
    }
    findings += try vm.stopped().map { "left behind: \($0)" }
    _ = try runner.ended()
    return findings
  }

  private static func lastWords() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    let guest = try talker(end: "li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)", in: place)
    let pipe = try PipeEnds()
    let reading = try pipe.reading.duplicate()
    let runner = try vm.startForeground(
      ["--memory", "2M", "--guest", guest], output: pipe.writing)
    _ = consume pipe
    // Meanwhile the guest has long ended.
    MonotonicClock.sleep(1_000_000_000)
    var output: [UInt8] = []
    while true {
      let bytes = try reading.read(limit: 1 << 16)
      if bytes.isEmpty { break }
      output += bytes
    }
    var findings: [String] = []
    let status = try runner.ended()
    if status != .exited(0) { findings.append("the run ended with \(String(describing: status))") }
    if output != (0..<talk).map({ UInt8($0 & 63) + 48 }) {
      findings.append("\(output.count) bytes came: \(String(decoding: output.suffix(200), as: UTF8.self))")
    }
    return findings + (try vm.remains().map { "left behind: \($0)" })
  }

  private static func findings() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let runner = try vm.startForeground(["--memory", "32M"], output: output)
    var findings: [String] = []
    let isUp = try TestVM.wait { try vm.answer("status").value["state"]?.text == "running" }
    if !isUp { findings.append("it never runs") }
    for index in 1...8 {
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("handoff \(index): \(answer)") }
      let hasEnded = try runner.process.hasExited()
      if hasEnded { findings.append("the run has ended at handoff \(index)") }
    }
    // Stopped, it says so, and that is no success of the guest's.
    findings += try vm.stopped().map { "left behind: \($0)" }
    let status = try runner.ended()
    if status != .exited(1) { findings.append("the run ended with \(String(describing: status))") }
    return findings
  }
}
