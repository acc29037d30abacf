import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// What becomes of an answer that nobody takes.
@Suite(.serialized) struct StandardOutputTests {
  private static let words: [[String]] = [
    ["--help"], ["--version"], ["help", "run"], ["list"], ["list", "--json"], ["ledger"],
    ["--generate-completion-script", "zsh"],
  ]

  /// Runs a command whose reader has gone before it starts.
  private func runUnread(_ arguments: [String]) throws -> (status: FSRSystem.ExitStatus?, errors: String) {
    let place = try TemporaryDirectory()
    let errors = try place.directory.openFile("errors", .append)
    let pipe = try PipeEnds()
    let writing = try pipe.writing.duplicate()
    _ = consume pipe
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(), arguments: ["fsr"] + arguments, environment: ["PATH=/usr/bin:/bin"],
      inheriting: [.init(writing.number, as: 1), .init(errors.number, as: 2)])
    let status = try child.ended()
    let said = try place.directory.openFile("errors", .read).readAll(limit: 1 << 16)
    return (status, String(decoding: said, as: UTF8.self))
  }

  @Test(arguments: words) func aReaderThatHasGoneIsNoFailure(arguments: [String]) throws {
    let result = try runUnread(arguments)
    #expect(result.status == .exited(0) && result.errors.isEmpty, "\(result)")
  }

  @Test(arguments: words) func whatCannotBeWrittenIsAFailure(arguments: [String]) throws {
    let words = arguments.joined(separator: " ")
    let result = try BuiltCommand.shell("exec \"$FSR\" \(words) > /dev/full")
    #expect(result.code == 1 && result.errorLines.count == 1, "\(result)")
  }

  @Test(arguments: words) func aStandardOutputThatIsClosedIsAFailure(arguments: [String]) throws {
    let words = arguments.joined(separator: " ")
    for closed in [">&-", "1</dev/null"] {
      let result = try BuiltCommand.shell("exec \"$FSR\" \(words) \(closed)")
      #expect(result.code == 1 && result.errorLines.count == 1, "\(closed): \(result)")
    }
  }

  @Test func aGuestInTheForegroundNeedsAStandardOutput() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.shell(
      "exec \"$FSR\" run a --memory 1M --foreground --runtime-dir \(place.path)/vms >&-")
    #expect(result.code == 3 && result.errors.contains("--console"), "\(result)")
  }

  /// A pipe that somebody has made non-blocking, as whoever shares it can, and that is read late and slowly.
  @Test func aSlowReaderGetsAllOfANonBlockingPipe() throws {
    let words = ["--generate-completion-script", "zsh"]
    let whole = try BuiltCommand.run(words).output
    let pipe = try PipeEnds()
    try pipe.writing.makeNonBlocking()
    // The smallest that there is, far less than the answer.
    let room = fcntl(pipe.writing.number, 1031, 4096)
    #expect(room >= 4096 && whole.utf8.count > 2 * Int(room))
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(), arguments: ["fsr"] + words, environment: ["PATH=/usr/bin:/bin"],
      inheriting: [.init(pipe.writing.number, as: 1)])
    let ended = try child.process.waitForExit(timeout: 300_000_000)
    #expect(!ended, "nobody has read anything yet")
    let reading = try pipe.reading.duplicate()
    _ = consume pipe
    var bytes: [UInt8] = []
    while true {
      let part = try reading.read(limit: 1000)
      if part.isEmpty { break }
      bytes += part
    }
    let status = try child.ended()
    #expect(status == .exited(0) && String(decoding: bytes, as: UTF8.self) == whole)
  }

  @Test func aVMIsStartedLoggedAndHandedOverWithoutReader() throws {
    let place = try TemporaryDirectory()
    defer { _ = try? BuiltCommand.run(["stop", "vm", "--runtime-dir", place.path]) }
    for words in [
      ["run", "vm", "--memory", "16M"], ["status", "vm"], ["log", "vm"],
      ["handoff", "vm", "--max-downtime", "5s"], ["handoff", "vm", "--max-downtime", "5s", "--json"],
      ["check", "vm"], ["history", "vm"],
    ] {
      let result = try runUnread(words + ["--runtime-dir", place.path])
      #expect(result.status == .exited(0) && result.errors.isEmpty, "\(words): \(result)")
    }
    // A VMM that such a command has started outlives the readers of its own too.
    let status = try BuiltCommand.run(["status", "vm", "--json", "--runtime-dir", place.path])
    let generation = try JSONValue(parsing: status.output)["generation"]?.number
    #expect(status.code == 0 && generation == 3, "\(status)")
  }
}
