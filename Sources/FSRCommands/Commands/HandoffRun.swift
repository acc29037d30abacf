internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// One handoff or recovery, coordinated by this process.
struct HandoffRun {
  let end: HandoffEnd
  /// What the newest block says; nil where nothing was begun.
  let report: HandoffReport?
  /// Its timeline; nil where nothing was begun.
  let trace: HandoffTrace?
  /// Nil where there is nothing to say.
  let reason: Reason?
  /// What stood in its way while the guest ran on.
  let blocker: Blocker?
  /// Whether a signal called it off.
  let isInterrupted: Bool
  /// Who hangs, where nobody runs the guest.
  let culprits: [String]
  /// Whether nobody can tell any more who may run the guest: somebody has written over the word.
  let isCorrupt: Bool
  /// Who owns the VM now.
  let owner: Int32?
  /// Whether it was a trial by a source of a build that has no code for one that passes: it came to the last step of a
  /// trial, and nobody had a reason to end it there.
  private let isFormerTrial: Bool

  /// - Throws: `VMError` `noSuchVM` where the VM was never started.
  static func perform(
    _ purpose: Coordinator.Purpose, on folder: borrowing VMFolder,
    options: CoordinatorSession.Options = CoordinatorSession.Options(), _ interruption: Interruption
  ) throws -> HandoffRun {
    let name = folder.name
    guard let blocks = try folder.blocks() else { throw VMClient.absence(of: folder) }
    try VMClient.checkIsVisible(folder)
    let before = (try? blocks.newest()).flatMap { $0 }?.attempt
    let progress = HandoffProgress(of: name)
    var hasSignal = false
    let isCancelled = {
      hasSignal = hasSignal || interruption.hasCome
      return hasSignal
    }
    var session = CoordinatorSession(
      purpose, name: name, folder: try folder.directory.duplicate(), blocks: blocks, options: options,
      isCancelled: isCancelled, canceller: { interruption.name }, onLook: { progress.show($0) })
    var end = politely { session.run() }
    progress.clear()
    // Nothing was begun, and there is no guest that could be untouched.
    if end == .refused, session.reason?.code == .lost { end = .lost }
    // A VM that was stopped meanwhile, or whose guest has ended by itself, is neither lost nor refused.
    let isStopped = session.isOfStoppedVM
    if !isStopped, end == .lost || end == .refused || end == .stunned,
      let gone = VMClient.departure(of: folder)
    {
      throw gone
    }
    if session.reason?.code == .neverStarted { throw VMClient.absence(of: folder) }
    let isInterrupted = hasSignal && purpose == .handoff && (end == .refused || end == .source)
    var reason = session.reason
    if isInterrupted, end == .refused, !session.isObstructed {
      // However early the signal came, it is the same to whoever sent it.
      (end, reason) = (.source, Reason("\(interruption.name) interrupted it", code: .interrupted))
    }
    if isStopped, end != .destination { (end, reason) = (.source, HandoffReport.vmStops) }
    // Turned away by a VMM whose guest has said its last, or is about to: there is nothing to try again.
    if purpose == .handoff, end == .refused, reason?.code == .guestEnded { end = .source }
    // Somebody may run the guest whose word was written over.
    if end == .stunned, let status = try? VMClient.status(of: folder), status.isAnswered,
      status.state == .running
    {
      end = session.block?.identity(of: .source)?.pid == status.pid ? .source : .destination
    }
    // A handoff that was refused has the block of an earlier one, or one that nobody took up.
    let isOwn = purpose == .recovery || (end != .refused && session.block?.attempt != before)
    let report = isOwn ? session.block.map { HandoffReport(of: $0, vm: name, reason: reason) } : nil
    if isOwn, end == .lost, let block = session.block {
      HistoryFile.noteLoss(of: block, in: folder, why: reason ?? Reason(HandoffRun.ownerIsGone))
    }
    let isUntouched =
      purpose == .handoff && (end == .refused || end == .source) && !isInterrupted
      && reason?.code.map(HandoffReport.isEndOfVM) != true
    let blocker =
      isUntouched
      ? Blocker(
        report?.reason ?? reason, block: isOwn && !session.isObstructed ? session.block : nil)
      : nil
    let isCorrupt = end == .stunned && session.block?.isCorrupt == true
    let culprits = end == .stunned && !isCorrupt ? session.block?.standstills ?? [] : []
    let trace = session.block.flatMap { block in report.map { HandoffTrace(of: block, $0) } }
    return HandoffRun(
      end: end, report: report, trace: trace, reason: reason, blocker: blocker,
      isInterrupted: isInterrupted, culprits: culprits, isCorrupt: isCorrupt,
      owner: session.block?.owner?.pid,
      isFormerTrial: options.plan.depth == .trial && session.block.map(isTried) == true)
  }

  private static func isTried(_ block: ControlBlock) -> Bool {
    block.time(of: .prepared) != 0 && block.reason(of: .source).map { $0.code == nil } == true
      && block.reason(of: .coordinator) == nil && block.reason(of: .destination) == nil
  }

  /// Runs `body` so that, where processors are few, the guest need not make way for it at once.
  private static func politely(_ body: () -> HandoffEnd) -> HandoffEnd {
    guard (try? Scheduling.policy(of: 0)) == .normal else { return body() }
    try? Scheduling.setBatch(of: 0)
    defer { try? Scheduling.setNormal(of: 0) }
    return body()
  }

  /// Whether all that comes before the stun went well, and no more was wanted.
  var hasPassedTrial: Bool { end == .source && (code == .tried || isFormerTrial) }

  /// The code of why it ended so.
  var code: ReasonCode? { report?.reason?.code ?? reason?.code }

  /// Whether it was called off because the VM, or its guest, came to its end.
  var endsWithVM: Bool { code.map(HandoffReport.isEndOfVM) ?? false }

  /// What to do where it was called off by that.
  func remedyForEnd(of name: String) -> String {
    code == .guestEnded
      ? "; `fsr history \(name)` tells how, and `fsr stop \(name)` clears up" : ""
  }

  /// Why it ended so, in words that are always there.
  var why: String {
    let known = report?.reason ?? reason
    return known?.description ?? (end == .lost ? Self.ownerIsGone : "no reason was given")
  }

  private static let ownerIsGone = "the process that owned it is gone"

  /// `why`, with what to do about it where that is known.
  private var sentence: String {
    // What is known of a VMM that turns a handoff away is what it says.
    guard let blocker, blocker.code != .source else { return why }
    return blocker.sentence
  }

  /// The exit code for it, with the sentence; nil for a guest that runs on the destination.
  ///
  /// - Parameter target: the new VMM, as ` to build … (…)`; empty where that is of no interest.
  func failure(vm name: String, to target: String = "") -> Failure? {
    switch end {
    case .destination: nil
    case .refused:
      Failure(.refused, "\(name) was not handed over\(target), its guest is untouched: \(sentence)")
    case .source where endsWithVM:
      Failure(.calledOff, "the handoff of \(name)\(target) was called off: \(why)\(remedyForEnd(of: name))")
    case .source:
      Failure(.calledOff, "the handoff of \(name)\(target) was called off, the source runs: \(sentence)")
    case .stunned where isCorrupt:
      Failure(.stunned, "nobody runs \(name): \(why); `fsr stop \(name)` ends the VM")
    case .stunned:
      Failure(
        .stunned,
        "nobody runs \(name)\(target.isEmpty ? "" : " after its handoff\(target)"): "
          + ([why] + culprits).joined(separator: "; ")
          + "; \(culprits.isEmpty ? "run" : "then run") `fsr recover \(name)`")
    case .lost: Failure(.lost, "\(name) is lost: \(why); `fsr stop \(name)` clears up")
    }
  }
}

extension CoordinatorSession {
  /// Whether it came to nothing because the VM was told to stop, as far as anybody could still say that.
  fileprivate var isOfStoppedVM: Bool {
    if reason?.code == .stopping { return true }
    guard let block, !block.state.isDecided else { return false }
    return [Party.source, .coordinator].contains { block.reason(of: $0)?.code == .stopping }
  }
}

extension Blocker {
  /// What it is, and what to do about it.
  var sentence: String { "\(what); \(remedy)" }
}
