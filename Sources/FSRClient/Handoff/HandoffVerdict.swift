internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// What a coordinator's end comes to for whoever asked for the handoff: the coordinator knows blocks and processes, and
/// not that the VM was stopped, or that its guest has ended.
struct HandoffVerdict {
  let end: HandoffEnd
  /// Nil where there is nothing to say.
  let reason: Reason?
  let isInterrupted: Bool

  /// - Parameters:
  ///   - found: the coordinator's end.
  ///   - interruption: what the caller has called it off by; nil where it has not.
  /// - Throws: `VMError` `noSuchVM` where the VM is not there any more.
  init(
    _ found: HandoffEnd, of session: borrowing CoordinatorSession, on folder: borrowing VMFolder,
    _ purpose: Coordinator.Purpose, interruptedBy interruption: String?
  ) throws {
    var (end, reason) = (found, session.reason)
    // Nothing was begun, and there is no guest that could be untouched.
    if end == .refused, reason?.code == .lost { end = .lost }
    // A VM that was stopped meanwhile, or whose guest has ended by itself, is neither lost nor refused.
    let isStopped = session.isOfStoppedVM
    if !isStopped, end == .lost || end == .refused || end == .stunned,
      let gone = VMClient.departure(of: folder)
    {
      throw gone
    }
    if reason?.code == .neverStarted { throw VMClient.absence(of: folder) }
    isInterrupted = interruption != nil && purpose == .handoff && (end == .refused || end == .source)
    if isInterrupted, end == .refused, !session.isObstructed {
      // However early the signal came, it is the same to whoever sent it.
      (end, reason) = (.source, Reason("\(interruption ?? "") interrupted it", code: .interrupted))
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
    (self.end, self.reason) = (end, reason)
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
