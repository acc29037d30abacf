package import FSRHandoff
internal import FSRHost
package import FSRSystem
internal import Synchronization

/// What this process, which owns the VM, knows of handoffs: which is the newest decided one, and which is under way.
package final class Ownership: Sendable {
  /// How many attempts a request may be ahead of the VM's newest: numbers are not to be used up by one who lies.
  private static let attemptLeap: UInt32 = 16

  private struct State {
    var newest: ControlBlock
    var current: ControlBlock?
    /// Ends the session of `current` where the guest stands still.
    var giveUp: (@Sendable () -> Void)?
    /// No handoff begins any more: the guest has ended.
    var isClosed = false
  }

  private let state: Mutex<State>

  package init(by block: ControlBlock) { state = Mutex(State(newest: block)) }

  /// The newest decided block: who owns the VM, and in which generation.
  package var newest: ControlBlock { state.withLock { $0.newest } }

  /// The block of a handoff in flight, for those who take part in it.
  package var current: ControlBlock? { state.withLock { $0.current } }

  package var generation: UInt64 {
    let block = newest
    return block.generation + (block.state == .destination ? 1 : 0)
  }

  /// Begins the handoff of `next`, unless there is a reason not to.
  ///
  /// - Parameter obstacle: why none can begin, whichever.
  package func begin(_ next: ControlBlock, unless obstacle: () -> Reason?) -> Reason? {
    state.withLock { state in
      if let reason = obstacle() { return reason }
      if state.isClosed { return HandoffReport.guestEnds }
      guard state.current == nil else {
        return Reason(
          "another handoff is under way", remedy: "wait for it, or call it off with `fsr abort`", code: .busy)
      }
      state.current = next
      return nil
    }
  }

  /// Its session is there.
  package func note(giveUp: @escaping @Sendable () -> Void) { state.withLock { $0.giveUp = giveUp } }

  /// Lets the next one begin, if it has not.
  package func end(_ block: ControlBlock) {
    state.withLock { state in
      guard state.current === block else { return }
      (state.current, state.giveUp) = (nil, nil)
    }
  }

  /// The guest is here by `block`.
  package func keep(_ block: ControlBlock) { state.withLock { $0.newest = block } }

  /// Ends the session of the handoff in flight where nobody can be given the guest.
  package func giveUp() { state.withLock { $0.giveUp }?() }

  /// Lets no handoff begin any more, because of the guest's end; false while there is one.
  package func close() -> Bool {
    state.withLock { state in
      guard state.current == nil else { return false }
      state.isClosed = true
      return true
    }
  }

  /// Whether a block is a new one, of this VM's next handoff.
  package func isNext(_ next: ControlBlock) -> Bool {
    let block = newest
    return next.machine == block.machine && next.attempt > block.attempt
      && next.attempt - block.attempt <= Self.attemptLeap && next.generation == generation
      && next.identity(of: .source) == ProcessIdentity.current() && next.identity(of: .destination) == nil
      && next.state == .none && !next.isComplete && next.maxDowntime <= HandoffLimits.longest
      && next.deadline <= MonotonicClock.now() &+ HandoffLimits.longest
  }

  /// Calls a handoff in flight off; true when there is none any more and the guest is here.
  package func callOff(because reason: Reason) -> Bool {
    guard let block = current else { return true }
    // Said first: whoever sees the word moved tells why.
    if block.state == .none || block.state == .destVerify { block.explain(.source, reason) }
    if case .made = block.claim(.source, by: .source) {
      block.announce()
      block.ring()
    }
    return false
  }
}
