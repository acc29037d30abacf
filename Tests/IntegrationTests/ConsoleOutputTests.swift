import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// Output that nobody takes, or nobody can: the guest goes on.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere)) struct ConsoleOutputTests {
  private static func check(_ options: [String] = [], _ body: @escaping @Sendable (ConsoleVM) throws -> Void)
    async
  {
    await Blocking.check { ConsoleVM.findings(options, body) }
  }

  private static func dropped(_ vm: TestVM) throws -> Double {
    try vm.answer("status").value["console"]?["dropped_bytes"]?.number ?? 0
  }

  @Test func theLastMebibyteIsThereForWhoAttachesLater() async {
    await Self.check { console in
      let first = try ConsoleClient(console.vm, .pipes)
      try first.type([EchoGuest.flood])
      // The echo behind the flood says that all of it is there.
      try first.type("#")
      console.expect(TestVM.wait { first.output.last == UInt8(ascii: "#") }, "the flood does not end")
      try console.handOver()
      let deadline = try ConsoleClient(console.vm, .pipes)
      let kept = (EchoGuest.floodOutput + [UInt8(ascii: "#")]).suffix(1 << 20)
      console.expectOutput(Array(kept), of: deadline, "what is kept")
      for client in [first, deadline] {
        client.endInput()
        try console.expectEnd(0, of: client, "leaving")
      }
    }
  }

  @Test func aFullDiskStopsNeitherTheGuestNorAHandoff() async {
    await Self.check(["--console", "/dev/full"]) { console in
      let client = try ConsoleClient(console.vm, .pipes)
      for round in 1...3 {
        let before = try Self.dropped(console.vm)
        try client.type([EchoGuest.flood])
        try client.type("#")
        let count = { client.output.count { $0 == UInt8(ascii: "#") } }
        console.expect(TestVM.wait { count() == round }, "the guest does not go on")
        try console.expect(
          try TestVM.wait { try Self.dropped(console.vm) >= before + Double(EchoGuest.floodOutput.count) },
          "\(try Self.dropped(console.vm)) bytes are called dropped")
        try console.handOver()
      }
      let all = Double(EchoGuest.greeting.count + 3 * (EchoGuest.floodOutput.count + 1))
      console.expect(try TestVM.wait { try Self.dropped(console.vm) == all }, "not every byte is counted")
      client.endInput()
      try console.expectEnd(0, of: client, "leaving")
    }
  }

  /// What the guest has said by then is written, however soon the VM is stopped: what whoever reads along has seen, too.
  @Test func aStopLeavesNothingOutOfTheConsoleFile() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let path = place.path + "/console"
      var findings: [String] = []
      for _ in 1...3 {
        let vm = try TestVM()
        try EchoGuest.run(on: vm, in: place, ["--memory", "2M", "--console", path])
        let client = try ConsoleClient(vm, .pipes)
        try client.type([EchoGuest.pour])
        if !client.waitForOutput(1 << 20) { findings.append("the guest does not pour") }
        findings += try vm.stopped().map { "left behind: \($0)" }
        let isOver = TestVM.wait { client.hasEnded }
        let file = try place.directory.openFile("console", .read)
        let size = try file.size()
        let last = try file.read(at: size - min(size, 256), count: 256)
        if !isOver || Array(client.output.suffix(256)) != last {
          findings.append(
            "the file ends with \(String(decoding: last.suffix(20), as: UTF8.self)), the guest with "
              + String(decoding: client.output.suffix(20), as: UTF8.self))
        }
        for name in ["console", "echo.elf"] { try? place.directory.unlink(name) }
      }
      return findings
    }
  }

  @Test func aReaderOfTheConsoleFileThatDoesNotReadStopsNobody() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let path = place.path + "/fifo"
      // SAFETY: the C string lives for the call.
      guard unsafe mkfifo(path, 0o600) == 0 else { return ["no FIFO"] }
      let reader = Owned(try OwnedDescriptor.open(path, .readWrite))
      let findings = ConsoleVM.findings(["--console", path], Self.pourPastTheConsoleFile)
      _ = reader
      return findings
    }
  }

  @Test func aTerminalForAConsoleFileThatNobodyReadsStopsNobody() async {
    await Blocking.check {
      let terminal = Owned(try PseudoTerminal())
      let path = "/proc/\(ProcessIdentity.current().pid)/fd/\(terminal.value.program.number)"
      return ConsoleVM.findings(["--console", path]) {
        try Self.pourPastTheConsoleFile($0)
        _ = terminal
      }
    }
  }

  private static func pourPastTheConsoleFile(_ console: ConsoleVM) throws {
    let client = try ConsoleClient(console.vm, .pipes)
    try client.type([EchoGuest.pour])
    console.expect(client.waitForOutput(3 << 20), "the guest does not go on")
    for _ in 1...3 { try console.handOver() }
    let isCounted = try TestVM.wait { try dropped(console.vm) > 1_048_576 }
    console.expect(isCounted, "nothing is called dropped")
    let seen = client.output.count
    console.expect(client.waitForOutput(seen + (2 << 20)), "the guest does not go on over handoffs")
    try client.signal(SignalNumber.terminate)
    try console.expectEnd(1, of: client, "the signal")
  }

  @Test func aClientThatDoesNotReadStopsNobodyAndSaysWhatIsMissing() async {
    await Self.check { console in
      let slow = try ConsoleClient(console.vm, .pipes, ["--read-only"], isRead: false)
      let client = try ConsoleClient(console.vm, .pipes)
      try client.type([EchoGuest.pour])
      console.expect(client.waitForOutput(6 << 20), "the guest does not go on")
      try console.handOver()
      let seen = client.output.count
      console.expect(client.waitForOutput(seen + (1 << 20)), "the guest does not go on over a handoff")
      try slow.startReading()
      try console.expect(
        try TestVM.wait { try slow.complaints().contains("bytes of output are missing here") },
        "it says nothing: \(try slow.complaints())")
      // Whole lines again behind the gap.
      console.expect(slow.waitForOutput(2 << 20), "it does not go on")
      try slow.signal(SignalNumber.interrupt)
      try console.expectEnd(0, of: slow, "the slow one")
      try client.signal(SignalNumber.terminate)
      try console.expectEnd(1, of: client, "the other one")
    }
  }

  @Test func aReaderThatGoesAwayEndsTheClientQuietly() async {
    await Self.check { console in
      let client = try ConsoleClient(console.vm, .pipes, ["--read-only"], isRead: false)
      let other = try ConsoleClient(console.vm, .pipes)
      client.closeOutput()
      console.expectOutput(EchoGuest.greeting, of: other, "the greeting")
      try other.type([EchoGuest.flood])
      try console.expectEnd(0, of: client, "without a reader")
      try console.expect(try client.complaints().isEmpty, "it says \(try client.complaints())")
      try other.signal(SignalNumber.terminate)
      try console.expectEnd(1, of: other, "the other one")
    }
  }

  @Test func anOutputThatCannotBeWrittenIsSaid() async {
    await Self.check { console in
      let place = try TemporaryDirectory()
      let errors = try place.directory.openFile("errors", .append)
      let full = try OwnedDescriptor.open("/dev/full", .readWrite)
      let child = try ChildProcess.spawn(
        executable: BuiltCommand.path(),
        arguments: ["fsr", "console", console.vm.name, "--runtime-dir", console.vm.runtime, "--read-only"],
        environment: [], inheriting: [.init(full.number, as: 1), .init(errors.number, as: 2)])
      let status = try child.ended()
      let said = String(
        decoding: try place.directory.openFile("errors", .read).readAll(limit: 4096), as: UTF8.self)
      console.expect(
        status == .exited(1) && said.contains("standard output cannot be written"),
        "\(String(describing: status)), saying \(said)")
    }
  }
}
