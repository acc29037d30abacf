internal import ArgumentParser
internal import FSRHandoff
internal import FSRReference
internal import FSRSystem

/// `fsr handoff`
struct HandoffCommand: AnsweringCommand {
  static let configuration = CommandConfiguration(
    commandName: "handoff", abstract: "Hand a running VM to a new VMM process.",
    discussion: """
      Starts the new VMM beside the old one, which hands it the running guest; memory is shared, not copied. If \
      anything goes wrong the old one goes on, and the exit code is 4. Ctrl-C calls it off.

      Examples:
        fsr handoff web
        fsr handoff web --to /opt/fsr-2/bin/fsr --max-downtime 5ms
        fsr handoff web --if-needed --json
      """)

  @OptionGroup var subjectName: NameArgument
  @Option(help: ArgumentHelp("The new VMM's executable. (default: this one)", valueName: "binary"))
  var to: String?
  @Flag(help: "Do nothing if the VM runs on that build already.") var ifNeeded = false
  @Option(
    help: ArgumentHelp(
      "How long the guest may stand still before the old VMM takes it back. (default: 50ms)",
      valueName: "time"),
    transform: TimeSpan.init(parsing:))
  var maxDowntime = TimeSpan(nanoseconds: 50_000_000)
  @Option(
    help: ArgumentHelp("How long all of it may take. (default: 30s)", valueName: "time"),
    transform: TimeSpan.init(parsing:))
  var timeout = TimeSpan(nanoseconds: 30_000_000_000)
  @Option(help: ArgumentHelp("A fault to commit, as PARTY:STEP:KIND.", visibility: .private)) var fault:
    String?
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  func validate() throws {
    guard let fault else { return }
    guard FaultPlan(fault) != nil else {
      let steps = Party.allCases.map { "\($0): \(FaultPlan.steps(of: $0).joined(separator: " "))" }
      throw ValidationError(
        "'--fault' is PARTY:STEP:KIND, KIND kill or stop, with the steps \(steps.joined(separator: "; "))")
    }
  }

  static func blank(name: String?, reason: String) -> HandoffAnswer {
    HandoffAnswer(vm: name, reason: reason)
  }

  func lines(of reply: HandoffAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<HandoffAnswer> {
    let interruption = try Interruption()
    let folder = try runtime.folder(of: subjectName.name)
    let executable = try to.map(WorkingDirectory.absolute) ?? Executable.path()
    let build: String
    do { build = try BuildIdentity.ofExecutable(path: executable) } catch {
      throw Failure(
        .refused, "the new VMM's executable \(executable) cannot be read: \(error); name a file with --to")
    }
    let status = try VMClient.status(of: folder)
    if status.state == .lost {
      throw Failure(
        .lost,
        "\(folder.name) is lost: the process that owned it is gone; `fsr stop \(folder.name)` clears up")
    }
    if ifNeeded, status.isAnswered, status.build == build {
      var answer = HandoffAnswer(vm: subject, reason: "runs that build already")
      answer.generation = status.generation
      return Outcome(answer)
    }
    var options = CoordinatorSession.Options()
    options.executable = executable
    options.maxDowntime = maxDowntime.nanoseconds
    options.timeout = timeout.nanoseconds
    options.fault = fault ?? ""
    let run = try HandoffRun.perform(.handoff, on: folder, options: options) { interruption.hasCome }
    let failure = run.failure(vm: folder.name)
    let answer =
      run.report.map { report in
        HandoffAnswer(
          report, memoryBytes: status.isAnswered ? status.memoryBytes : nil,
          reservedBytes: status.isAnswered ? status.reservedBytes : nil)
      }
      ?? HandoffAnswer(vm: subject, reason: failure?.description)
    return Outcome(answer, failure)
  }
}
