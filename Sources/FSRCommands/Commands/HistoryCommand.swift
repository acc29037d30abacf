internal import ArgumentParser
internal import FSRClient

/// `fsr history`
struct HistoryCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Say what has befallen a VM: handoffs, resets, the guest's end.",
    discussion: """
      Oldest first; also of a VM that is lost, and of one whose guest has ended, until `fsr stop` clears its folder. \
      Lines that cannot be read are skipped and counted.

      Examples:
        fsr history web
        fsr history web --last 5
        fsr history web --json
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var amount: LastOption
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  static func blank(name: String?, reason: String) -> HistoryAnswer { HistoryAnswer(reason: reason) }

  func lines(of reply: HistoryAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<HistoryAnswer> {
    let answer = HistoryAnswer(
      try HistoryFile.read(in: try runtime.folder(of: subjectName.name)), last: amount.last)
    if let warning = answer.warning { Terminal.errors.line("fsr: \(warning)") }
    return Outcome(answer)
  }
}
