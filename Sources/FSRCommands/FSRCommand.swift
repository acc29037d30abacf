internal import ArgumentParser
internal import FSRSystem

/// The `fsr` command line.
struct FSRCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsr",
    abstract: "Hand a running VM from one VMM process to another, on the same host.",
    discussion: """
      The new VMM is started beside the old one and takes over the running guest: memory is shared and never \
      copied, and one atomic word decides which of the two resumes it, whatever dies on the way.

      Try it:  fsr demo

      Exit codes: 0 done; 1 failed; 3 refused, the guest untouched; 4 called off, the source runs; 5 stunned, \
      `fsr recover` is needed; 6 the VM is lost; 7 no such VM; 64 wrong usage.
      """,
    version: version,
    subcommands: answering.map { $0 as any ParsableCommand.Type } + [
      ConsoleCommand.self, LogCommand.self, BenchCommand.self, FloorPeerCommand.self,
      ManualCommand.self,
    ])

  /// This product and which build of it. Looked up only where it is asked for: an executable without a build id is
  /// read as a whole for it.
  private static var version: String {
    guard Arguments.all.contains("--version") else { return "fsr" }
    do { return "fsr \(try BuildIdentity.ofExecutable(path: Executable.openablePath))" } catch {
      return "fsr, of a build that cannot be told: \(error)"
    }
  }

  static let answering: [any AnsweringCommand.Type] = [
    RunCommand.self, ListCommand.self, StatusCommand.self, PauseCommand.self, ResumeCommand.self,
    StopCommand.self, CheckCommand.self, HandoffCommand.self, AbortCommand.self, RecoverCommand.self,
    HistoryCommand.self, LedgerCommand.self, DemoCommand.self,
  ]

  /// What is wrong where the first of `arguments` names no command, with the one that was probably meant; nil where it does.
  static func unknownCommand(in arguments: [String]) -> String? {
    guard let word = arguments.first, !word.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
    if configuration.subcommands.contains(where: { $0.configuration.commandName == word }) { return nil }
    let shown = configuration.subcommands.filter { $0.configuration.shouldDisplay }
      .compactMap { $0.configuration.commandName }
    let meant = Misspelling(word: word).nearest(of: shown)
    return "there is no command '\(word)'" + (meant.map { "; did you mean `fsr \($0)`?" } ?? "")
  }

  /// The command that `arguments` ask for, and the words that name it; nil where they name none.
  static func answering(_ arguments: [String]) -> (command: any AnsweringCommand.Type, words: String)? {
    guard let first = arguments.first else { return nil }
    if first == BenchCommand.configuration.commandName {
      let second = BenchCommand.answering.first {
        $0.configuration.commandName == arguments.dropFirst().first
      }
      guard let second, let name = second.configuration.commandName else {
        return (BenchHandoffCommand.self, "\(first) handoff")
      }
      return (second, "\(first) \(name)")
    }
    return answering.first { $0.configuration.commandName == first }.map { ($0, first) }
  }
}
