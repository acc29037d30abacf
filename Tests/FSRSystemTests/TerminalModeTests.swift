import FSRSystem
import FSRTestSupport
import Testing

@Suite struct TerminalModeTests {
  @Test func rawModeLastsAsLongAsItsOwner() throws {
    let terminal = try PseudoTerminal()
    let before = try terminal.modes()
    #expect(before.isCooked)
    try Self.withRawMode(terminal) { mode in
      let raw = try terminal.modes()
      #expect(!raw.isCooked)
      mode.restore()
      let restored = try terminal.modes()
      #expect(restored == before)
      try mode.makeRaw()
      let again = try terminal.modes()
      #expect(again == raw)
    }
    let after = try terminal.modes()
    #expect(after == before)
  }

  private static func withRawMode(
    _ terminal: borrowing PseudoTerminal, _ body: (borrowing TerminalMode) throws -> Void
  ) throws {
    let mode = try required(try TerminalMode.raw(try terminal.program.duplicate()))
    try body(mode)
  }

  @Test func rawModeLeavesEveryByteAsItIs() throws {
    let terminal = try PseudoTerminal()
    let bytes = (0...255).map { UInt8($0) }
    try Self.withRawMode(terminal) { _ in
      try terminal.person.write(bytes)
      var typed: [UInt8] = []
      while typed.count < bytes.count { typed += try terminal.program.read(limit: 256) }
      #expect(typed == bytes)
      try terminal.program.write(bytes)
      var shown: [UInt8] = []
      while shown.count < bytes.count { shown += try terminal.person.read(limit: 256) }
      #expect(shown == bytes)
    }
  }

  @Test func whatIsNoTerminalHasNoMode() throws {
    let ends = try PipeEnds()
    let hasNone = isAbsent(try TerminalMode.raw(try ends.reading.duplicate()))
    #expect(hasNone)
    let isTerminal = ends.writing.isTerminal
    #expect(!isTerminal)
  }

  @Test func aPartialWriteSaysHowMuchItTook() throws {
    let ends = try PipeEnds()
    let bytes = [UInt8](repeating: 7, count: 100)
    #expect(try ends.writing.writeSome(bytes[10..<30]) == 20)
    #expect(try ends.reading.read(limit: 100).count == 20)
    try ends.writing.makeNonBlocking()
    let much = [UInt8](repeating: 7, count: 1 << 20)
    let taken = try ends.writing.writeSome(much[...])
    #expect(taken > 0 && taken < much.count)
    #expect(throws: SystemError("write", on: "descriptor \(ends.writing.number)", errno: 11)) {
      try ends.writing.writeSome(much[...])
    }
    let full = try OwnedDescriptor.open("/dev/full", .readWrite)
    #expect(throws: SystemError.self) { try full.writeSome([1]) }
  }
}
