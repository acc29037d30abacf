import FSRSystem
import FSRTestSupport
import Testing

/// Colours, for those who look at a terminal and want them.
@Suite struct TerminalTests {
  private static let red = "\u{1b}[31m"

  /// What a person sees of a complaint.
  private func shown(_ environment: [String]) throws -> String {
    let terminal = try PseudoTerminal()
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(), arguments: ["fsr", "nonsense"], environment: environment,
      inheriting: [.init(terminal.program.number, as: 2)])
    _ = try child.ended()
    return String(decoding: try terminal.person.read(limit: 4096), as: UTF8.self)
  }

  @Test func aComplaintAtATerminalIsRed() throws {
    for environment in [[], ["NO_COLOR="], ["TERM=xterm"]] {
      #expect(try shown(environment).contains(Self.red), "\(environment)")
    }
  }

  @Test(arguments: ["NO_COLOR=1", "NO_COLOR=0", "TERM=dumb"]) func whoWantsNoColoursHasNone(wish: String)
    throws
  {
    let text = try shown([wish])
    #expect(text.hasPrefix("fsr: ") && !text.contains("\u{1b}"))
  }

  @Test func aFileHasNoColours() throws {
    let result = try BuiltCommand.run(["nonsense"], environment: ["TERM=xterm-256color"])
    #expect(result.errors.hasPrefix("fsr: ") && !result.errors.contains("\u{1b}"))
  }
}
