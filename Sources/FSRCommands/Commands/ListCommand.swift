internal import ArgumentParser
internal import FSRClient
internal import FSRHost
internal import FSRSystem

/// `fsr list`
struct ListCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the VMs.",
    discussion: """
      Every VM of the runtime folder with how it fares; one whose guest has ended has no state, and neither has one \
      of which nothing can be told, which is said. They are asked side by side.

      Examples:
        fsr list
        fsr list --json
      """)

  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { nil }

  static func blank(name: String?, reason: String) -> ListAnswer { ListAnswer() }

  func lines(of reply: ListAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<ListAnswer> {
    // Nobody has run anything yet where it is not there.
    guard let found = try runtime.openIfThere() else { return Outcome(ListAnswer()) }
    // What is no VM's folder is none of ours.
    let names = try found.names().filter { (try? VMName(parsing: $0)) != nil }
    var answer = ListAnswer()
    var shortage: VMError?
    for (name, finding) in try VMSurvey.look(at: names, in: found) {
      switch finding {
      case .status(let status): answer.vms.append(StatusAnswer(status))
      case .ended: answer.vms.append(StatusAnswer(name: name))
      case .unknown(let error):
        answer.vms.append(StatusAnswer(name: name, reason: error.description))
        if error.isOwnShortage { shortage = error }
      }
    }
    for vm in FolderlessVM.all(in: found) {
      answer.vms.append(StatusAnswer(name: vm.name, reason: vm.error.description))
    }
    return Outcome(answer, shortage.map { Failure($0) })
  }
}
