import FSRSystem
import FSRTestSupport
import Testing

/// Coming and going of `fsr console`.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere)) struct ConsoleClientTests {
  private static func check(_ options: [String] = [], _ body: @escaping @Sendable (ConsoleVM) throws -> Void)
    async
  {
    await Blocking.check { ConsoleVM.findings(options, body) }
  }

  @Test func theEscapeKeyLeavesAndRestoresTheTerminal() async {
    await Self.check { console in
      for (options, key) in [([], 0x1d), (["--escape", "^A"], 0x01), (["--escape", "q"], 0x71)]
        as [([String], UInt8)]
      {
        let client = try ConsoleClient(console.vm, .terminal, options)
        let before = try client.terminal?.value.modes()
        // Spawned a moment ago: it may be raw by now, and the modes of a new terminal are known.
        let fresh = try PseudoTerminal().modes()
        console.expect(
          before == fresh || before?.isCooked == false, "a new terminal is \(String(describing: before))")
        console.expect(try client.waitUntilRaw(), "the terminal never gets raw")
        try client.type("typed before\u{3}\u{1a}\u{4}")
        console.expect(client.waitForOutput(EchoGuest.greeting.count), "nothing comes")
        try client.type([key])
        try console.expectEnd(0, of: client, "leaving by \(key)")
        let after = try client.terminal?.value.modes()
        console.expect(after == fresh, "the terminal is left \(String(describing: after))")
      }
    }
  }

  @Test(arguments: [SignalNumber.interrupt, SignalNumber.terminate, SignalNumber.hangup])
  func aSignalEndsItAndRestoresTheTerminal(signal: Int32) async {
    await Self.check { console in
      let client = try ConsoleClient(console.vm, .terminal, ["--escape", "none"])
      console.expect(try client.waitUntilRaw(), "the terminal never gets raw")
      try client.type([0x1d, 0x41])
      console.expectOutput(EchoGuest.greeting + [0x1d, 0x41], of: client, "without an escape key")
      try client.signal(signal)
      try console.expectEnd(1, of: client, "the signal \(signal)")
      let (after, fresh) = (try client.terminal?.value.modes(), try PseudoTerminal().modes())
      console.expect(after == fresh, "the terminal is left \(String(describing: after))")
    }
  }

  @Test func aStopGivesTheTerminalBackForItsTime() async {
    await Self.check { console in
      let client = try ConsoleClient(console.vm, .terminal)
      console.expect(try client.waitUntilRaw(), "the terminal never gets raw")
      try client.signal(SignalNumber.terminalStop)
      console.expect(
        try TestVM.wait { try client.terminal?.value.modes().isCooked == true }, "it stays raw while stopped")
      console.expect(TestVM.wait { client.isStopped }, "it does not stop")
      try client.signal(SignalNumber.go)
      console.expect(try client.waitUntilRaw(), "the terminal does not get raw again")
      try client.type("on\u{1d}")
      try console.expectEnd(0, of: client, "leaving")
      console.expect(
        client.output == EchoGuest.greeting + Array("on".utf8) || client.output.count < 9, "\(client.output)")
    }
  }

  @Test func aPipesEndWaitsForTheGuestsAnswer() async {
    await Self.check { console in
      let bytes = (0..<20_000).map { UInt8(0x20 + $0 % 90) }
      let client = try ConsoleClient(console.vm, .pipes)
      try client.type(bytes)
      client.endInput()
      try console.expectEnd(0, of: client, "the input's end")
      console.expectOutput(EchoGuest.greeting + bytes, of: client, "the echo")
      try console.expect(try client.complaints().isEmpty, "it says \(try client.complaints())")
    }
  }

  @Test func allEightBitsGoBothWays() async {
    await Self.check { console in
      let bytes = (0...255).map { UInt8($0) }.filter { $0 == 0 || $0 > EchoGuest.pour }
      let client = try ConsoleClient(console.vm, .pipes)
      try client.type(bytes)
      console.expectOutput(EchoGuest.greeting + bytes, of: client, "by pipes")
      let terminal = try ConsoleClient(console.vm, .terminal, ["--new", "--escape", "none"])
      console.expect(try terminal.waitUntilRaw(), "the terminal never gets raw")
      // `--new` begins where it attached, which is some time before that.
      try terminal.type(bytes)
      console.expect(
        TestVM.wait { terminal.output.suffix(bytes.count) == bytes }, "by a terminal: \(terminal.output)")
      try terminal.signal(SignalNumber.terminate)
      try console.expectEnd(1, of: terminal, "the signal")
    }
  }

  @Test func aGuestThatReadsNothingIsSaidToBeDeaf() async {
    await Self.check { console in
      let client = try ConsoleClient(console.vm, .pipes)
      // It pours, and does not look at its input any more.
      try client.type([EchoGuest.pour])
      console.expect(client.waitForOutput(1000), "it does not pour")
      try client.type(String(repeating: "y", count: 200))
      client.endInput()
      try console.expectEnd(1, of: client, "a deaf guest")
      let said = try client.complaints()
      console.expect(said.contains("184 bytes of it were not read"), "it says \(said)")
    }
  }

  @Test func whoOnlyWatchesTypesNothing() async {
    await Self.check { console in
      let watcher = try ConsoleClient(console.vm, .pipes, ["--read-only"])
      try watcher.type("not typed")
      let client = try ConsoleClient(console.vm, .pipes)
      try client.type("typed")
      console.expectOutput(EchoGuest.greeting + Array("typed".utf8), of: watcher, "the watcher's")
      watcher.endInput()
      try client.type(" on")
      console.expectOutput(EchoGuest.greeting + Array("typed on".utf8), of: watcher, "behind the input's end")
      try watcher.signal(SignalNumber.interrupt)
      try console.expectEnd(0, of: watcher, "watching")
      client.endInput()
      try console.expectEnd(0, of: client, "typing")
    }
  }

  // MARK: the VM's part

  @Test(arguments: [(EchoGuest.pass, 0), (EchoGuest.fail, 1)] as [(UInt8, Int32)])
  func theGuestsEndIsTheCommands(byte: UInt8, code: Int32) async {
    await Self.check { console in
      let clients = try [ConsoleClient(console.vm, .pipes), ConsoleClient(console.vm, .terminal)]
      console.expect(try clients[1].waitUntilRaw(), "the terminal never gets raw")
      try clients[0].type([UInt8(ascii: "z"), byte])
      for client in clients {
        try console.expectEnd(code, of: client, "the guest's end")
        let said = try client.complaints().split(separator: "\n").last ?? ""
        console.expect(code == 0 || said.contains("code 7"), "it says \(said)")
        // The terminal's line is ended for what comes next.
        console.expect(
          client.output.starts(with: EchoGuest.greeting + [UInt8(ascii: "z")]), "\(client.output)")
      }
      let deadline = try ConsoleClient(console.vm, .pipes)
      try console.expectEnd(7, of: deadline, "attaching to a guest that has ended")
    }
  }

  @Test func aVMThatIsStoppedEndsItWell() async {
    await Self.check { console in
      let client = try ConsoleClient(console.vm, .pipes)
      console.expectOutput(EchoGuest.greeting, of: client, "the greeting")
      try console.stop()
      try console.expectEnd(0, of: client, "a VM that was stopped")
      try console.expect(
        try client.complaints().contains("was stopped"), "it says \(try client.complaints())")
    }
  }

  @Test func aVMThatIsLostIsSaidToBe() async {
    await Self.check { console in
      let client = try ConsoleClient(console.vm, .pipes)
      console.expectOutput(EchoGuest.greeting, of: client, "the greeting")
      for (pid, _) in try console.vm.machines() {
        try ProcessTable.signal(SignalNumber.kill, pid: pid, of: console.vm.name)
      }
      try console.expectEnd(6, of: client, "a VM that is lost")
      let deadline = try ConsoleClient(console.vm, .pipes)
      try console.expectEnd(6, of: deadline, "attaching to a VM that is lost")
    }
  }

  /// In each of these somebody stands still in the middle of a handoff.
  @Test(arguments: ["destination:prepare:stop", "source:saveCheckpoint:stop"])
  func whoAttachesDuringAHandoffGetsThere(fault: String) async {
    await Self.check { console in
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let handoff = try console.vm.startHandoff(
        ["--fault", fault, "--max-downtime", "60s", "--timeout", "120s"], output: output)
      let stands = try TestVM.wait { try console.vm.machines().values.contains(.stopped) }
      console.expect(stands, "nobody stands still")
      let client = try ConsoleClient(console.vm, .pipes)
      try client.type("typed in between")
      if fault.hasPrefix("destination") {
        // The source still runs the guest.
        console.expectOutput(EchoGuest.greeting + Array("typed in between".utf8), of: client, "meanwhile")
      }
      try console.vm.letGo()
      console.expectOutput(EchoGuest.greeting + Array("typed in between".utf8), of: client, "afterwards")
      _ = try handoff.ended()
      try client.type(" and behind")
      console.expectOutput(
        EchoGuest.greeting + Array("typed in between and behind".utf8), of: client, "behind the handoff")
      client.endInput()
      try console.expectEnd(0, of: client, "leaving")
    }
  }
}
