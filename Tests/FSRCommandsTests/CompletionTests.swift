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

  @Test func anUnknownShellIsWrongUsage() throws {
    let result = try BuiltCommand.run(["--generate-completion-script", "tcsh"])
    #expect(result.code == 64 && result.errorLines.count == 1, "\(result)")
  }

  @Test(arguments: commands + ["bench handoff", "bench cpu"]) func everyCommandShowsExamples(command: String)
    throws
  {
    let result = try BuiltCommand.run(command.split(separator: " ").map(String.init) + ["--help"])
    #expect(result.code == 0 && result.output.contains("Example"))
    #expect(result.output.contains("  fsr \(command)"))
    #expect(result.output.contains("OVERVIEW:") && result.output.contains("OPTIONS:"))
  }
}
