internal import ArgumentParser
internal import FSRClient

/// `fsr pause`
struct PauseCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stop a guest until it is resumed.",
    discussion: """
      Returns when no vCPU runs any more. A paused guest stays paused over handoffs, whoever runs it then; its \
      clock goes on. Pausing a guest that is paused does nothing.

      Example:
        fsr pause web
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  static func blank(name: String?, reason: String) -> StatusAnswer {
    StatusAnswer(name: name, reason: reason)
  }

  func lines(of reply: StatusAnswer) -> [String] { ["\(subjectName.name): paused"] }

  func perform() throws -> Outcome<StatusAnswer> {
    let folder = try runtime.folder(of: subjectName.name)
    try VMClient.pause(folder)
    return Outcome(StatusAnswer(try VMClient.status(of: folder)))
  }
}
