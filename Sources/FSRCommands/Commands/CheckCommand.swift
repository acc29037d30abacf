internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// `fsr check`
struct CheckCommand: AnsweringCommand, Interruptible, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Find out whether a VM can be handed over.",
    discussion: """
      Does all of a handoff that comes before the guest is stopped, and then calls it off: the new VMM is started, \
      the two agree on versions, and it gets ready to run this very guest. The guest runs on and notices nothing. \
      What stands in the way is said with a remedy, and the exit code is 3.

      Examples:
        fsr check web
        fsr check web --to /opt/fsr-2/bin/fsr --json
        fsr check web --swap mirrored --swap-file /var/vms2/web
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var wish: HandoffOptions
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  static func blank(name: String?, reason: String) -> CheckAnswer {
    var answer = CheckAnswer(vm: name)
    answer.reason = reason
    return answer
  }

  func lines(of reply: CheckAnswer) -> [String] {
    let name = reply.vm ?? "-"
    let build = reply.build.map { "build \($0)" } ?? "of a build that the executable does not say"
    return ["\(name): \(reply.reason ?? "can be handed over") (\(build))"]
      + reply.troubles.map { "\(name): trouble, which a handoff leaves as it is: \($0)" }
  }

  func perform() throws -> Outcome<CheckAnswer> {
    let interruption = try Interruption()
    let limits = try HandoffLimits.ofEnvironment()
    let begin = MonotonicClock.now()
    let folder = try runtime.folder(of: subjectName.name)
    let status = try HandoffOptions.status(of: folder)
    var answer = CheckAnswer(vm: subject)
    let destination: HandoffOptions.Destination
    do { destination = try wish.destination(of: status) } catch {
      return refused(answer, [Blocker(.executable, Reason(of: error))])
    }
    answer.build = destination.build
    answer.troubles = StatusAnswer(status).troubles
    if let why = try wish.whyNotNeeded(status, build: destination.build) {
      answer.ok = true
      answer.reason = why
      return Outcome(answer)
    }
    // As a handoff would, before it starts anything.
    if let blocker = wish.forecast(for: folder) { return refused(answer, [blocker]) }
    var options = try wish.coordinatorOptions(executable: destination.path)
    options.plan.depth = .trial
    options.spend(since: begin)
    let run = try HandoffRun.show(.handoff, on: folder, options: options, limits, interruption)
    switch run.end {
    case .source where run.hasPassedTrial:
      answer.ok = true
      wish.warnOfSwapPlace()
      return Outcome(answer)
    case .refused where run.isInterrupted, .source where run.isInterrupted:
      let failure = Failure(
        .calledOff, "\(interruption.name) interrupted the check of \(folder.name), its guest is untouched")
      answer.reason = failure.description
      return Outcome(answer, failure)
    case .source where run.endsWithVM:
      let failure = Failure(
        .calledOff,
        "the check of \(folder.name) was called off: \(run.why)\(run.remedyForEnd(of: folder.name))")
      answer.reason = failure.description
      return Outcome(answer, failure)
    case .source where run.code == .aborted:
      let failure = Failure(.calledOff, "the check of \(folder.name) was called off: \(run.why)")
      answer.reason = failure.description
      return Outcome(answer, failure)
    case .refused, .source, .destination:
      if let blocker = run.blocker { return refused(answer, [blocker]) }
      let failure = Failure(.failed, "the check of \(folder.name) came to no end: \(run.why)")
      answer.reason = failure.description
      return Outcome(answer, failure)
    case .stunned, .lost:
      let failure = run.failure(vm: folder.name)
      answer.reason = failure?.description
      return Outcome(answer, failure)
    }
  }

  private func refused(_ answer: CheckAnswer, _ blockers: [Blocker]) -> Outcome<CheckAnswer> {
    var answer = answer
    answer.blockers = blockers
    let said = blockers.map(\.sentence).joined(separator: "; ")
    let failure = Failure(.refused, "\(answer.vm ?? "-") cannot be handed over: \(said)")
    answer.reason = failure.description
    return Outcome(answer, failure)
  }
}
