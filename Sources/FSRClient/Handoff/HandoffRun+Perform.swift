public import FSRHandoff
public import FSRHost
internal import FSRSystem

/// How the calling thread coordinates a handoff: it writes nothing but the VM's history, and says nothing to anybody but
/// its caller.
extension HandoffRun {
  /// Coordinates it to its end. A former owner that this process has started is collected where it has ended; a
  /// successor that a recovery starts is a child of this process, which collects it in its turn.
  ///
  /// - Parameters:
  ///   - observer: hears of it meanwhile, and may call it off.
  ///   - makingWay: whether the calling thread is scheduled meanwhile so that, where processors are few, the guest need
  ///     not make way for it at once. A thread that is not scheduled as usual stays as it is.
  /// - Throws: `VMError` `noSuchVM` where the VM was never started, was stopped meanwhile, or its guest has ended.
  public static func perform(
    _ purpose: Coordinator.Purpose, on folder: borrowing VMFolder,
    options: CoordinatorSession.Options = CoordinatorSession.Options(),
    limits: HandoffLimits = HandoffLimits(), observer: HandoffObserver = HandoffObserver(),
    makingWay: Bool = false
  ) throws -> HandoffRun {
    guard let blocks = try folder.blocks() else { throw VMClient.absence(of: folder) }
    try VMClient.checkIsVisible(folder)
    let before = (try? blocks.newest()).flatMap { $0 }
    let former = before?.owner.flatMap { (owner) -> Owned<ProcessDescriptor>? in
      guard let process = try? ProcessDescriptor.open(owner) else { return nil }
      return Owned(process)
    }
    defer { _ = try? former?.value.reap() }
    // The first word counts, and stays.
    var interruption: String?
    let isCancelled = {
      if interruption == nil { interruption = observer.interruption() }
      return interruption != nil
    }
    var session = CoordinatorSession(
      purpose, name: folder.name, folder: try folder.directory.duplicate(), blocks: blocks,
      options: options, limits: limits, isCancelled: isCancelled,
      canceller: { interruption ?? "its caller" }, onLook: observer.look)
    let end = makingWay ? politely { session.run() } : session.run()
    let verdict = try HandoffVerdict(
      end, of: session, on: folder, purpose, interruptedBy: interruption)
    // A handoff that was refused has the block of an earlier one, or one that nobody took up.
    let isOwn = purpose == .recovery || (verdict.end != .refused && session.block?.attempt != before?.attempt)
    if isOwn, verdict.end == .lost, let block = session.block {
      HistoryFile.noteLoss(of: block, in: folder, why: verdict.reason ?? Reason(ownerIsGone))
    }
    return HandoffRun(
      verdict, of: session, name: folder.name, purpose, isOwn: isOwn,
      isTrial: options.plan.depth == .trial)
  }

  private init(
    _ verdict: HandoffVerdict, of session: borrowing CoordinatorSession, name: String,
    _ purpose: Coordinator.Purpose, isOwn: Bool, isTrial: Bool
  ) {
    let (block, reason) = (session.block, verdict.reason)
    let report = isOwn ? block.map { HandoffReport(of: $0, vm: name, reason: reason) } : nil
    end = verdict.end
    self.report = report
    self.reason = reason
    trace = block.flatMap { block in report.map { HandoffTrace(of: block, $0) } }
    isInterrupted = verdict.isInterrupted
    let isUntouched =
      purpose == .handoff && (verdict.end == .refused || verdict.end == .source)
      && !verdict.isInterrupted && reason?.code.map(HandoffReport.isEndOfVM) != true
    blocker =
      isUntouched
      ? Blocker(report?.reason ?? reason, block: isOwn && !session.isObstructed ? block : nil) : nil
    isCorrupt = verdict.end == .stunned && block?.isCorrupt == true
    culprits = verdict.end == .stunned && !isCorrupt ? block?.standstills ?? [] : []
    owner = block?.owner?.pid
    isFormerTrial = isTrial && block.map(Self.isTried) == true
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
}
