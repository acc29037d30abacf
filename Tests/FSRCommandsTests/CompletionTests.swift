import FSRSystem
import FSRTestSupport
import Testing

/// What the command tells shells, and manual pages, of itself.
@Suite struct CompletionTests {
  private static let commands = [
    "run", "list", "status", "pause", "resume", "stop", "handoff", "recover", "demo", "console", "bench",
  ]

  private func script(for shell: String) throws -> String {
    let result = try BuiltCommand.run(["--generate-completion-script", shell])
    #expect(result.code == 0 && result.errors.isEmpty, "\(shell): \(result.errors)")
    return result.output
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func aScriptKnowsEveryCommandAndNoHiddenOne(shell: String) throws
  {
    let text = try script(for: shell)
    for command in Self.commands { #expect(text.contains(command), "\(shell): \(command)") }
    for hidden in ["floor-peer", "--fault"] { #expect(!text.contains(hidden), "\(shell): \(hidden)") }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func aShellReadsItsScript(shell: String) throws {
    let text = try script(for: shell)
    // The shell says that the script is its own language, without running it.
    let result = try BuiltCommand.shell(
      "command -v \(shell) > /dev/null || exit 77; \(shell) -n <<< \"$SCRIPT\"",
      environment: ["SCRIPT=\(text)"])
    if result.code == 77 {
      try OwnedDescriptor.standardError().write(
        Array("SKIPPED: \(shell) does not read its script: no \(shell) here\n".utf8))
    } else {
      #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    }
  }

  @Test func bashCompletesCommands() throws {
    let text = try script(for: "bash")
    let result = try BuiltCommand.shell(
      "eval \"$SCRIPT\"; PATH=${FSR%/*}:$PATH; COMP_WORDS=(fsr ha); COMP_CWORD=1; COMP_LINE='fsr ha'; COMP_POINT=6; _fsr fsr ha fsr; echo \"${COMPREPLY[@]}\"",
      environment: ["SCRIPT=\(text)"])
    #expect(result.output == "handoff\n", "\(result)")
  }

  /// What bash offers for the last of `words`.
  private func offers(_ words: [String], _ environment: [String]) throws -> String {
    let line = words.joined(separator: " ")
    let array = words.map { "'\($0)'" }.joined(separator: " ")
    let result = try BuiltCommand.shell(
      "eval \"$SCRIPT\"; PATH=${FSR%/*}:$PATH; COMP_WORDS=(\(array)); COMP_CWORD=\(words.count - 1); COMP_LINE='\(line)'; COMP_POINT=\(line.utf8.count); _fsr fsr '\(words.last ?? "")' '\(words.dropLast().last ?? "")'; echo \"${COMPREPLY[@]}\"",
      environment: ["SCRIPT=\(try script(for: "bash"))"] + environment)
    #expect(result.errors.isEmpty, "\(result)")
    return result.output
  }

  @Test func bashCompletesTheNamesOfVMs() throws {
    let place = try TemporaryDirectory()
    for name in ["web", "weather", "db"] {
      try place.directory.make(name)
      // By this it is known for a VM's.
      let folder = try Directory.open(name, in: place.directory)
      try folder.openFile("vm", .createNew).write(Array("fsr VM 1\n".utf8))
    }
    try place.directory.make(".ledger")
    defer {
      for name in ["web", "weather", "db"] {
        try? Directory.open(name, in: place.directory).unlink("vm")
      }
    }
    let variable = ["FSR_RUNTIME_DIR=\(place.path)"]
    for command in ["status", "handoff", "stop"] {
      #expect(try offers(["fsr", command, ""], variable) == "db weather web\n")
      #expect(try offers(["fsr", command, "we"], variable) == "weather web\n")
    }
    #expect(try offers(["fsr", "status", "--runtime-dir", place.path, "d"], []) == "db\n")
    #expect(try offers(["fsr", "status", ""], ["FSR_RUNTIME_DIR=/nonexistent"]) == "\n")
  }

  /// Each on a line of its own, so that it can be copied.
  @Test func noExampleIsBroken() throws {
    let dump = try BuiltCommand.run(["--experimental-dump-help"])
    let root = try #require(try JSONValue(parsing: dump.output)["command"])
    var seen = 0
    for one in root["subcommands"]?.elements ?? [] {
      guard one["shouldDisplay"] != .bool(false), let name = one["commandName"]?.text, name != "help" else {
        continue
      }
      let help = try BuiltCommand.run([name, "--help"]).output.split(separator: "\n")
      let examples = (one["discussion"]?.text ?? "").split(separator: "\n").filter { $0.hasPrefix("  ") }
      for example in examples {
        #expect(help.contains { $0.hasSuffix(example) }, "\(example)")
        seen += 1
      }
    }
    #expect(seen > 30)
  }

  @Test func anUnknownShellIsWrongUsage() throws {
    let result = try BuiltCommand.run(["--generate-completion-script", "tcsh"])
    #expect(result.code == 64 && result.errorLines.count == 1, "\(result)")
  }

  @Test func everyCommandThatIsShownHasADiscussionWithExamples() throws {
    let dump = try BuiltCommand.run(["--experimental-dump-help"])
    let root = try #require(try JSONValue(parsing: dump.output)["command"])
    var seen: [String] = []
    func look(at command: JSONValue, behind words: String) {
      for one in command["subcommands"]?.elements ?? [] {
        let name = one["commandName"]?.text ?? ""
        guard one["shouldDisplay"] != .bool(false), name != "help" else { continue }
        let full = "\(words) \(name)"
        seen.append(full)
        let discussion = one["discussion"]?.text ?? ""
        #expect(discussion.contains("Example") && discussion.contains("\n  \(full)"), "\(full)")
        look(at: one, behind: full)
      }
    }
    look(at: root, behind: "fsr")
    #expect(
      seen.contains("fsr handoff") && seen.contains("fsr bench cpu") && !seen.contains("fsr floor-peer"))
  }
}
