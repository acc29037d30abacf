internal import ArgumentParser
internal import FSRReference

/// `fsr list`
struct ListCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the VMs.",
    discussion: """
      Every VM of the runtime folder with how it fares; one whose guest has ended has no state.

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
    var answer = ListAnswer()
    for name in try found.names() {
      // What is no VM's folder is none of ours, and a VM may be stopped meanwhile.
      guard (try? VMName(parsing: name)) != nil, let folder = try? found.vm(name) else { continue }
      answer.vms.append(
        (try? VMClient.status(of: folder)).map { StatusAnswer($0) } ?? StatusAnswer(name: name))
    }
    return Outcome(answer)
  }
}
