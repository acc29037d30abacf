internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost

/// `fsr recover`
struct RecoverCommand: AnsweringCommand, Interruptible, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "recover", abstract: "Settle a handoff that somebody left undecided.",
    discussion: """
      Looks at who lives and what the control block says, sees that exactly one process runs the guest, and says \
      which and why. Safe at any time: a VM that runs is left alone.

      Examples:
        fsr recover web
        fsr recover web --json
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  func perform() throws -> Outcome<OwnerAnswer> {
    let interruption = try Interruption()
    let limits = try HandoffLimits.ofEnvironment()
    let folder = try runtime.folder(of: subjectName.name)
    let run = try HandoffRun.show(.recovery, on: folder, limits, interruption)
    var answer = OwnerAnswer(name: subject, owner: "none")
    answer.generation = run.report?.generation
    if run.end == .source || run.end == .destination {
      // The first generation was taken from nobody: its VMM is the source of whatever comes.
      answer.owner = answer.generation == 1 ? "source" : run.report?.victor ?? "none"
      answer.pid = run.owner
    }
    let failure =
      switch run.end {
      case .source: Failure?.none
      case .refused: Failure(.refused, "\(folder.name) was not settled: \(run.why)")
      case .destination, .stunned, .lost: run.failure(vm: folder.name)
      }
    answer.reason =
      run.hasPassedTrial
      ? "nothing is undecided, and the last handoff was a mere check"
      : failure?.description ?? run.report?.why
    return Outcome(answer, failure)
  }
}
