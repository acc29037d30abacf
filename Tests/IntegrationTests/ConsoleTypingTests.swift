import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// Typing for a guest that echoes, while it goes from process to process.
@Suite(.serialized, .enabled(if: GuestProgram.isClangThere)) struct ConsoleTypingTests {
  private static let handoffs = 12
  private static let leastTyped = 6000
  /// Bytes that may be on their way.
  private static let ahead = 1500

  @Test(arguments: [ConsoleClient.Place.terminal, .pipes])
  func nothingTypedIsLostOrDoubledOverHandoffs(place: ConsoleClient.Place) async {
    await Blocking.check {
      ConsoleVM.findings { try Self.typeOverHandoffs(place, $0) }
    }
  }

  private static func typeOverHandoffs(_ place: ConsoleClient.Place, _ console: ConsoleVM) throws {
    let client = try ConsoleClient(console.vm, place)
    if place == .terminal {
      let isRaw = try client.waitUntilRaw()
      console.expect(isRaw, "the terminal never gets raw")
    }
    let isOver = OneWayFlag()
    let typed = Owned(Mutex<[UInt8]>([]))
    let typist = try OSThread.start(name: "typist") {
      var random = SeededGenerator(seed: 7)
      while true {
        let count = typed.value.withLock { $0.count }
        if isOver.isUp, count >= leastTyped { return }
        let seen = client.waitForOutput(EchoGuest.greeting.count + count - ahead)
        if !seen { return }
        let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in
          UInt8.random(in: 0x20...0x7e, using: &random)
        }
        do { try client.type(bytes) } catch { return }
        typed.value.withLock { $0 += bytes }
      }
    }
    for _ in 0..<handoffs { try console.handOver() }
    isOver.raise()
    typist.join()
    let all = typed.value.withLock { $0 }
    console.expect(all.count >= leastTyped, "only \(all.count) bytes could be typed")
    console.expectOutput(EchoGuest.greeting + all, of: client, "the echo")
    if place == .terminal { try client.type([0x1d]) } else { client.endInput() }
    try console.expectEnd(0, of: client, "leaving")
    console.expect(client.output == EchoGuest.greeting + all, "something came behind the echo")
  }

  /// Two at a time, one of whom is killed again and again in the middle of typing.
  @Test func aClientThatIsKilledLeavesTheConsoleUsable() async {
    await Blocking.check {
      ConsoleVM.findings { console in
        let watcher = try ConsoleClient(console.vm, .pipes)
        for round in 1...12 {
          let victim = try ConsoleClient(console.vm, .pipes, ["--new"])
          // More than the guest takes before the kill, which so comes in the middle.
          try victim.type(String(repeating: "x", count: 40_000))
          console.expect(
            victim.waitForOutput(37 * round), "the victim's echo does not come in round \(round)")
          try victim.signal(SignalNumber.kill)
          _ = try victim.waitForExit()
        }
        // What the dead have put is echoed first.
        try watcher.type("<the end>")
        let hasCome = TestVM.wait { watcher.output.suffix(9) == Array("<the end>".utf8) }
        console.expect(hasCome, "the console does not work on")
        let output = watcher.output.dropFirst(EchoGuest.greeting.count).dropLast(9)
        console.expect(output.allSatisfy { $0 == UInt8(ascii: "x") }, "something else was echoed")
        watcher.endInput()
        try console.expectEnd(0, of: watcher, "leaving")
      }
    }
  }

  @Test func twoWhoTypeAtOnceSeeTheSame() async {
    await Blocking.check {
      ConsoleVM.findings { console in
        let clients = try [ConsoleClient(console.vm, .pipes), ConsoleClient(console.vm, .terminal)]
        let isRaw = try clients[1].waitUntilRaw()
        console.expect(isRaw, "the terminal never gets raw")
        let texts = ["abcdefghijklm", "NOPQRSTUVWXYZ"].map { Array(String(repeating: $0, count: 300).utf8) }
        for start in stride(from: 0, to: texts[0].count, by: 300) {
          for (client, text) in zip(clients, texts) { try client.type(text[start..<start + 300]) }
          if start == 1500 { try console.handOver() }
        }
        for client in clients {
          let hasCome = client.waitForOutput(EchoGuest.greeting.count + 2 * texts[0].count)
          console.expect(hasCome, "\(client.output.count) bytes came")
        }
        let outputs = clients.map(\.output)
        console.expect(outputs[0] == outputs[1], "the two see different things")
        let echo = outputs[0].dropFirst(EchoGuest.greeting.count)
        console.expect(
          echo.filter { $0 >= UInt8(ascii: "a") } == texts[0]
            && echo.filter { $0 < UInt8(ascii: "a") } == texts[1],
          "not what was typed: \(String(decoding: echo.prefix(100), as: UTF8.self))")
        try clients[1].type([0x1d])
        try console.expectEnd(0, of: clients[1], "leaving by the key")
        clients[0].endInput()
        try console.expectEnd(0, of: clients[0], "leaving by the input's end")
      }
    }
  }
}
