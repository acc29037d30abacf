internal import ArgumentParser
internal import FSRClient

/// `fsr stop`
struct StopCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "End a VM and everything of it.",
    discussion: """
      Whatever state the VM is in, lost or ended included: returns when nothing of it is left. A handoff that is \
      under way is called off.

      Example:
        fsr stop web
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  static func blank(name: String?, reason: String) -> StopAnswer { StopAnswer(name: name, reason: reason) }

  func lines(of reply: StopAnswer) -> [String] { ["\(subjectName.name): stopped"] }

  func perform() throws -> Outcome<StopAnswer> {
    try VMClient.stop(try runtime.folder(of: subjectName.name))
    return Outcome(StopAnswer(name: subject))
  }
}
