internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// `fsr handoff`
struct HandoffCommand: AnsweringCommand, Interruptible, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "handoff", abstract: "Hand a running VM to a new VMM process.",
    discussion: """
      Starts the new VMM beside the old one, which hands it the running guest; memory is shared, not copied. If \
      anything goes wrong the old one goes on, and the exit code is 4. Ctrl-C calls it off.

      Examples:
        fsr handoff web
        fsr handoff web --to /opt/fsr-2/bin/fsr --max-downtime 5ms
        fsr handoff web --if-needed --json
        fsr handoff web --trace handoff.json
        fsr handoff web --swap mirrored --swap-file /var/vms2/web --copy-rate 200M
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var wish: HandoffOptions
  @Option(
    help: ArgumentHelp(
      "Write the timeline to this file, as Trace Event JSON for Perfetto.", valueName: "file"))
  var trace: String?
  @Option(help: ArgumentHelp("A fault to commit, as PARTY:STEP:KIND.", visibility: .private)) var fault:
    String?
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  func validate() throws {
    if trace == "" { throw ValidationError("'--trace' names a file") }
    guard let fault else { return }
    guard FaultPlan(fault) != nil else {
      let steps = Party.allCases.map { "\($0): \(FaultPlan.steps(of: $0).joined(separator: " "))" }
      throw ValidationError(
        "'--fault' is PARTY:STEP:KIND, KIND kill or stop, with the steps \(steps.joined(separator: "; ")); see \(FSRCommandLine.faultManual)"
      )
    }
  }

  static func blank(name: String?, reason: String) -> HandoffAnswer {
    HandoffAnswer(vm: name, reason: reason)
  }

  func lines(of reply: HandoffAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<HandoffAnswer> {
    let interruption = try Interruption()
    let limits = try HandoffLimits.ofEnvironment()
    let begin = MonotonicClock.now()
    let folder = try runtime.folder(of: subjectName.name)
    let status = try HandoffOptions.status(of: folder)
    let destination = try wish.destination(of: status)
    let target = Self.target(destination)
    if let why = try wish.whyNotNeeded(status, build: destination.build) {
      var answer = HandoffAnswer(vm: subject, reason: why)
      answer.generation = status.generation
      answer.build = destination.build
      return Outcome(answer)
    }
    if let blocker = wish.forecast(for: folder) {
      let failure = Failure(
        .refused,
        "\(folder.name) was not handed over\(target), its guest is untouched: \(blocker.sentence)")
      var answer = HandoffAnswer(vm: subject, reason: failure.description)
      answer.build = destination.build
      answer.reasonCode = blocker.reasonCode?.name
      answer.blockers = [blocker]
      return Outcome(answer, failure)
    }
    var options = try wish.coordinatorOptions(executable: destination.path)
    options.fault = fault ?? ""
    options.spend(since: begin)
    let run = try tracing {
      try HandoffRun.show(.handoff, on: folder, options: options, limits, interruption)
    }
    let failure = run.failure(vm: folder.name, to: target)
    var answer =
      run.report.map { report in
        HandoffAnswer(
          report, memoryBytes: status.isAnswered ? status.report.facts.memoryBytes : nil,
          reservedBytes: status.isAnswered ? status.reservedBytes : nil)
      }
      ?? HandoffAnswer(vm: subject, reason: failure?.description)
    answer.build = destination.build
    if run.end != .destination { answer.reasonCode = run.code?.name }
    if run.end == .destination { wish.warnOfSwapPlace() }
    // Who hangs, and what to do, is in no block.
    if run.end == .stunned || run.code == .guestEnded { answer.reason = failure?.description }
    answer.blockers = run.blocker.map { [$0] } ?? []
    if let paging = status.report.facets.paging {
      answer.swap = HandoffAnswer.Swap(
        mode: wish.swap.rawValue, slots: paging.swap.used, bytesCopied: run.report?.copiedBytes ?? 0)
    }
    return Outcome(answer, failure)
  }

  /// The new VMM as a sentence names it; that of `--to` with its path.
  private static func target(_ destination: HandoffOptions.Destination) -> String {
    let build = destination.build.map { " to build \($0.prefix(12))" } ?? " to"
    return build + " (\(destination.path))"
  }

  /// Runs `body` with a place for the trace. One that cannot be written after all changes nothing of the handoff.
  private func tracing(_ body: () throws -> HandoffRun) throws -> HandoffRun {
    guard let trace else { return try body() }
    let file = try TraceFile(at: trace)
    let run = try body()
    guard let timeline = run.trace else { return run }
    do { try file.write(timeline.json) } catch {
      Terminal.errors.line("fsr: the trace was not written to \(trace): \(error)")
    }
    return run
  }
}
