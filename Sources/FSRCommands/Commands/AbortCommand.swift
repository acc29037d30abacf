internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// `fsr abort`
struct AbortCommand: AnsweringCommand, Interruptible, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "abort", abstract: "Call off a handoff that is under way.",
    discussion: """
      The old VMM goes on, and the handoff that is called off ends with 4. Possible until the new VMM has won: \
      after that, and where no handoff is under way, it does nothing and ends with 4.

      Examples:
        fsr abort web
        fsr abort web --json
      """)

  @OptionGroup var subjectName: NameArgument
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  func perform() throws -> Outcome<OwnerAnswer> {
    let interruption = try Interruption()
    let limits = try HandoffLimits.ofEnvironment()
    let folder = try runtime.folder(of: subjectName.name)
    try folder.checkGuestIsThere()
    guard let blocks = try folder.blocks() else { throw VMClient.absence(of: folder) }
    try VMClient.checkIsVisible(folder)
    var abort = HandoffAbort(
      name: folder.name, folder: try folder.directory.duplicate(), blocks: blocks, limits: limits,
      isCancelled: { interruption.hasCome })
    let end: HandoffAbort.End
    do { end = try abort.run() } catch {
      if let gone = VMClient.departure(of: folder) { throw gone }
      guard case .refused(let why) = error else { throw error }
      throw Failure(.refused, "nothing was aborted: \(why)")
    }
    // A VM that was stopped meanwhile, or whose guest ended itself, is not lost.
    if end == .lost || end == .gone || end == .stunned, let gone = VMClient.departure(of: folder) {
      throw gone
    }
    if end == .gone { throw VMClient.absence(of: folder) }
    let isCorrupt = end == .stunned && abort.block?.isCorrupt == true
    let culprits = end == .stunned && !isCorrupt ? abort.block?.standstills ?? [] : []
    let failure = Self.failure(
      end, of: folder.name,
      because: ([abort.reason?.description ?? "no reason was given"] + culprits).joined(separator: "; "),
      remedy: isCorrupt ? "`fsr stop \(folder.name)` ends the VM" : "run `fsr recover \(folder.name)`")
    var answer = OwnerAnswer(
      name: subject, owner: "none", reason: failure?.description ?? abort.reason?.description)
    if let block = abort.block {
      let report = HandoffReport(of: block, vm: folder.name)
      answer.generation = report.generation
      if end != .lost { answer.owner = report.victor }
      // The first generation was taken from nobody: its VMM is the source of whatever comes.
      if end == .nothing, block.attempt == 1, block.state.isDecided { answer.owner = "source" }
      if answer.owner != "none" {
        answer.pid = block.owner?.pid ?? block.identity(of: .source)?.pid
      }
    }
    return Outcome(answer, failure)
  }

  private static func failure(
    _ end: HandoffAbort.End, of name: String, because reason: String, remedy: String
  ) -> Failure? {
    switch end {
    case .calledOff: nil
    case .nothing: Failure(.calledOff, "nothing was aborted: \(reason)")
    case .stunned: Failure(.stunned, "nobody runs \(name): \(reason); \(remedy)")
    case .lost: Failure(.lost, "\(name) is lost: \(reason); `fsr stop \(name)` clears up")
    case .gone: Failure(.noSuchVM, "\(name) is gone")
    }
  }
}
