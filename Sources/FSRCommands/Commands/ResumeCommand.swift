internal import ArgumentParser
internal import FSRClient

/// `fsr resume`
struct ResumeCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let a paused guest run again.",
    discussion: """
      Does nothing to a guest that runs. A VM that nobody runs after a failed handoff needs `fsr recover` instead.

      Example:
        fsr resume web
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  static func blank(name: String?, reason: String) -> StatusAnswer {
    StatusAnswer(name: name, reason: reason)
  }

  func lines(of reply: StatusAnswer) -> [String] { ["\(subjectName.name): running"] }

  func perform() throws -> Outcome<StatusAnswer> {
    let folder = try runtime.folder(of: subjectName.name)
    try VMClient.resume(folder)
    return Outcome(StatusAnswer(try VMClient.status(of: folder)))
  }
}
