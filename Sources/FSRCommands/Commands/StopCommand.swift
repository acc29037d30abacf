internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost

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
    let limits = try HandoffLimits.ofEnvironment()
    let found = try runtime.open(creating: false)
    let folder: VMFolder
    do throws(VMError) { folder = try found.vm(subjectName.name.description) } catch {
      guard error.kind == .noSuchVM, try FolderlessVM.stop(subjectName.name.description, in: found) else {
        throw error
      }
      return Outcome(StopAnswer(name: subject))
    }
    try VMClient.stop(folder, limits: limits)
    return Outcome(StopAnswer(name: subject))
  }
}
