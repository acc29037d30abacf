import FSRSystem
import FSRTestSupport
import Testing

/// A person who waits for a handoff sees how far it is.
@Suite(.serialized) struct ProgressTests {
  /// What a person at a terminal sees of a handoff to a VMM that does not answer.
  private static func shown(timeout: String, at isTerminal: Bool) throws -> String {
    let vm = try TestVM()
    try vm.run(["--memory", "16M", "--vcpus", "1", "--duty", "10"])
    let place = try TemporaryDirectory(under: "/tmp")
    try place.directory.openFile("vmm", .createNew).write(Array("#!/bin/sh\nexec sleep 60\n".utf8))
    let enabling = try ChildProcess.spawn(
      executable: "/bin/chmod", arguments: ["chmod", "755", place.path + "/vmm"], environment: [])
    _ = try enabling.ended()
    let terminal = try PseudoTerminal()
    let file = try place.directory.openFile("errors", .append)
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(),
      arguments: [
        "fsr", "handoff", vm.name, "--runtime-dir", vm.runtime, "--to", place.path + "/vmm", "--timeout",
        timeout,
      ], environment: BuiltCommand.environment(),
      inheriting: [.init((isTerminal ? terminal.program.number : file.number), as: 2)])
    _ = try child.ended()
    let left = try vm.stopped()
    guard left.isEmpty else { throw Unexpected("left behind: \(left)") }
    let bytes =
      try isTerminal
      ? terminal.person.read(limit: 65536) : place.directory.openFile("errors", .read).readAll(limit: 65536)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func aTerminalShowsThePhaseAndIsLeftClean() async throws {
    let text = await Blocking.run { () -> String in
      do { return try Self.shown(timeout: "2s", at: true) } catch { return "\(error)" }
    }
    #expect(text.contains("/5 test-"), "\(text)")
    // The last word stands on a line of its own.
    #expect(text.split(separator: "\u{1b}[K").last?.contains("called off") == true, "\(text)")
  }

  @Test func aFileHasTheLastWordOnly() async throws {
    let text = await Blocking.run { () -> String in
      do { return try Self.shown(timeout: "1s", at: false) } catch { return "\(error)" }
    }
    #expect(text.hasPrefix("fsr: ") && text.split(separator: "\n").count == 1, "\(text)")
    // With what to do about it.
    #expect(text.contains("--timeout"), "\(text)")
  }
}
