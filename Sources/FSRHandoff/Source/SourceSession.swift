internal import FSRState
internal import FSRSystem

/// The source's half of a handoff, performed: a loop over the steps of `SourceHandoff`.
///
/// It never waits by itself: `advance` does what can be done now, and answers what is to be waited for. In the stun the
/// vCPU thread that stops last drives it, from saving the checkpoint to waking the destination, so that no thread has to
/// be woken in between; `SessionTurn` says whose turn it is.
public final class SourceSession<Guest: HandoffSource>: @unchecked Sendable {
  // Sendable by the turn: all that varies is touched only by the thread that has it.
  let guest: Guest
  let block: ControlBlock
  let blocks: BlockDirectory
  let limits: HandoffLimits
  let world: any HandoffWorld
  let turn = SessionTurn()
  let coordinator: CoordinatorLink
  let request: HandoffRequest
  let plan: HandoffPlan
  private let isToGiveUp = OneWayFlag()
  /// The block's limits as they were when the request was accepted: what somebody writes there later is nobody's
  /// wish. Nanoseconds; the deadline is on the monotonic clock.
  let maxDowntime: UInt64
  let deadline: UInt64

  var machine = SourceHandoff()
  /// What the current step waits for.
  var phase = Phase.fresh
  var fault: FaultPlan
  /// Why the handoff was called off; the first reason counts.
  var reason: Reason?
  /// What is to be sent, from the look at it until then.
  var description: GuestDescription?
  var sent: SentGuest?
  var destination: StartedDestination?
  /// When a guest that stands still is taken back.
  var stunDeadline: UInt64 = 0

  /// - Parameters:
  ///   - coordinator: the connection that the request came on.
  ///   - plan: the request's.
  ///   - world: what it asks of the kernel.
  public init(
    guest: Guest, block: ControlBlock, blocks: consuming BlockDirectory, coordinator: consuming HandoffLink,
    request: HandoffRequest, plan: HandoffPlan, limits: HandoffLimits = HandoffLimits(),
    in world: any HandoffWorld = LinuxWorld.shared
  ) {
    self.guest = guest
    self.block = block
    self.blocks = blocks
    self.coordinator = CoordinatorLink(coordinator)
    self.request = request
    self.plan = plan
    self.limits = limits
    self.world = world
    fault = FaultPlan.read(request.fault, for: .source)
    maxDowntime = min(block.maxDowntime, HandoffLimits.longest)
    deadline = min(block.deadline, world.now() &+ HandoffLimits.longest)
    block.belongToSource()
  }

  /// How a session ended for this process.
  public enum End: Sendable {
    /// The guest is still here.
    case kept
    /// The guest is elsewhere, and this process is to end.
    case left
    /// Nobody could be given the guest, and the VM is to end: the guest is given up, and its destination is gone.
    case givenUp
  }

  /// What came of `advance`.
  public enum State: Sendable {
    /// `advance` is to be called again once something of it has come; earlier does no harm.
    case waits(Wait)
    case ended(End)
  }

  /// What a step has come to for now.
  enum Turn {
    case outcome(StepOutcome)
    case waits(Wait)
    /// The vCPU thread that stops last goes on, or has gone on already.
    case passed
  }

  /// How far a step is that waits.
  enum Phase {
    /// Its fault has not been reached.
    case fresh
    case begun
    case until(UInt64)
    /// What comes of it once it has waited.
    case paused(StepOutcome)
    /// The destination is prepared; the coordinator's copies are due.
    case prepared(until: UInt64)
    /// Stages of the copying that are behind it.
    case copying(passed: Int)
    /// The destination was killed, and its end is due.
    case killed(until: UInt64)
    /// The same, of a guest that is given up.
    case givingUp(until: UInt64)
  }

  func now() -> UInt64 { world.now() }

  /// Lets the session come to an end where the guest stands still and the word gives it to nobody. For a VM that was told
  /// to end; from any thread.
  public func giveUp() { isToGiveUp.raise() }

  /// Runs the handoff to its end.
  public func run() -> End {
    while true {
      switch advance() {
      case .waits(let wait): world.wait(wait)
      case .ended(let end): return end
      }
    }
  }

  /// Does what can be done now, and answers what it waits for, or how it ended. One thread at a time calls it.
  public func advance() -> State {
    while true {
      if !turn.isWithSession {
        guard let wait = watchStun() else { continue }
        return .waits(wait)
      }
      if let state = givingUp() { return state }
      switch proceed() {
      case .waits(let wait): return .waits(wait)
      case .passed: continue
      case .outcome(let outcome):
        if let end {
          phase = .paused(outcome)
          return .ended(end)
        }
        goOn(after: outcome)
      }
    }
  }

  private var end: End? {
    switch machine.step {
    case .keep: .kept
    case .leave: .left
    case .publishBlock, .startDestination, .negotiate, .sendManifest, .awaitPrepared, .precopy, .quiesce,
      .stun,
      .saveCheckpoint, .releaseStorage, .complete, .wake, .race, .claimSource, .fence, .takeBack,
      .claimResumed,
      .resume, .reap, .report, .release, .park:
      nil
    }
  }

  /// Lets the next step begin.
  func goOn(after outcome: StepOutcome) {
    phase = .fresh
    _ = machine.next(after: outcome)
  }

  /// Goes on with the current step.
  func proceed() -> Turn {
    if case .fresh = phase {
      phase = .begun
      if !fault.reach(machine.step.rawValue, in: world) { return .waits(Wait(until: now())) }
    }
    if case .paused(let outcome) = phase { return .outcome(outcome) }
    return perform(machine.step)
  }

  private func perform(_ step: SourceStep) -> Turn {
    switch step {
    case .publishBlock: attempting { try publishBlock() }
    case .startDestination: attempting { try startDestination() }
    case .negotiate: attempting { try negotiate() }
    case .sendManifest: attempting { try sendManifest() }
    case .awaitPrepared: attempting { try awaitPrepared() }
    case .precopy: attempting { try precopy() }
    case .quiesce: attempting { try quiesce() }
    case .stun: stun()
    case .saveCheckpoint: attempting { try saveCheckpoint() }
    case .releaseStorage: .outcome(releaseStorage())
    case .complete: .outcome(complete())
    case .wake: .outcome(wake())
    case .race: race()
    case .claimSource: claim(.source)
    case .fence: fence()
    case .takeBack: takeBack()
    case .claimResumed: claim(.resumed)
    case .resume: .outcome(resume())
    case .reap: reap()
    case .report: .outcome(report())
    case .release: .outcome(release())
    case .park: park()
    case .keep: .outcome(keep())
    case .leave: .outcome(.done)
    }
  }

  /// A step that may fail: what is thrown becomes the reason, unless the word was moved before.
  private func attempting(_ body: () throws -> Turn) -> Turn {
    do { return try body() } catch {
      let state = block.state
      // What fails of somebody's calling it off is not why. A block that was not published is nobody's to follow.
      if state != .none {
        if machine.step != .publishBlock { return .outcome(.found(state)) }
        reason = block.reason(of: .coordinator) ?? HandoffError.aborted.reason
        return .outcome(.failed)
      }
      giveReason(Reason(of: error))
      return .outcome(.failed)
    }
  }

  func giveReason(_ why: Reason) {
    let first = reason ?? why
    reason = first
    block.explain(.source, first)
  }

  /// What a coordinator is told where another party has said why: nothing that would take the place of that.
  static var noReason: Reason { Reason("") }

  /// What calls a handoff off while it is prepared: the word, or the deadline.
  func interruption() throws -> StepOutcome? {
    if block.state != .none { return .found(block.state) }
    if block.isCorrupt { throw HandoffError.badBlock("its word is written over") }
    if now() >= deadline { throw HandoffError.deadline("the handoff") }
    coordinator.listen()
    return nil
  }

  /// Ends the destination of a guest that is given up; nil where it is not.
  private func givingUp() -> State? {
    switch phase {
    case .fresh:
      guard isToGiveUp.isUp, machine.isStandingStill else { return nil }
      destination?.process.kill()
      phase = .givingUp(until: now() &+ limits.reap)
    case .givingUp: break
    case .begun, .until, .paused, .prepared, .copying, .killed: return nil
    }
    if let wait = awaitKilled() { return .waits(wait) }
    return .ended(.givenUp)
  }
}
