internal import ArgumentParser
internal import FSRClient
internal import FSRHost

/// `fsr status`
struct StatusCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say how a VM fares.",
    discussion: """
      Answers within a second, also while the VM is being handed over. A VM that is lost ends it with 6.

      Examples:
        fsr status web
        fsr status web --json
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  static func blank(name: String?, reason: String) -> StatusAnswer {
    StatusAnswer(name: name, reason: reason)
  }

  func lines(of reply: StatusAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<StatusAnswer> {
    let status = try VMClient.status(of: try runtime.folder(of: subjectName.name))
    let name = subjectName.name
    let failure =
      status.state == .lost
      ? Failure(.lost, "\(name) is lost: nobody runs it or can; `fsr stop \(name)` clears up") : nil
    return Outcome(StatusAnswer(status), failure)
  }
}
