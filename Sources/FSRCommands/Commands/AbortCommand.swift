internal import ArgumentParser
internal import FSRHandoff
internal import FSRReference
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
    let folder = try runtime.folder(of: subjectName.name)
    try folder.checkGuestIsThere()
    guard let blocks = try folder.blocks() else { throw Self.neverStarted(folder.name) }
    var abort = HandoffAbort(
      name: folder.name, folder: try folder.directory.duplicate(), blocks: blocks,
      isCancelled: { interruption.hasCome })
    let end = try abort.run()
    // A guest that ended itself meanwhile is not lost.
    if end == .lost || end == .gone { try folder.checkGuestIsThere() }
    if end == .gone { throw Self.neverStarted(folder.name) }
    let culprits = end == .stunned ? abort.block?.standstills ?? [] : []
    let failure = Self.failure(
      end, of: folder.name, because: ([abort.reason] + culprits).joined(separator: "; "))
    var answer = OwnerAnswer(name: subject, owner: "none", reason: failure?.description ?? abort.reason)
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

  private static func neverStarted(_ name: String) -> VMError {
    VMError(.noSuchVM, "\(name) was never started, or was stopped; `fsr stop \(name)` clears its folder")
  }

  private static func failure(_ end: HandoffAbort.End, of name: String, because reason: String) -> Failure? {
    switch end {
    case .calledOff: nil
    case .nothing: Failure(.calledOff, "nothing was aborted: \(reason)")
    case .stunned: Failure(.stunned, "nobody runs \(name): \(reason); run `fsr recover \(name)`")
    case .lost: Failure(.lost, "\(name) is lost: \(reason); `fsr stop \(name)` clears up")
    case .gone: Failure(.noSuchVM, "\(name) is gone")
    }
  }
}
