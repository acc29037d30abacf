internal import FSRState
internal import FSRSystem

/// The source's half of a handoff, performed: a loop over the steps of `SourceHandoff`.
///
/// It runs on a thread of its own while the guest runs. In the stun the vCPU thread that stops last drives
/// it, from saving the checkpoint to waking the destination, so that no thread has to be woken in between;
/// `SessionTurn` says whose turn it is.
public final class SourceSession<Guest: HandoffSource>: @unchecked Sendable {
  // Sendable by the turn: all that varies is touched only by the thread that has it.
  let guest: Guest
  let block: ControlBlock
  let limits: HandoffLimits
  let world: any HandoffWorld
  let turn = SessionTurn()

  var machine = SourceHandoff()
  var fault: FaultPlan
  /// Why the handoff was called off; the first reason counts.
  var reason: Reason?
  var coordinator: CoordinatorLink
  let request: HandoffRequest
  let plan: HandoffPlan
  var blocks: BlockDirectory

  /// Whether the block has its name.
  var isPublished = false
  /// What is to be sent, from the look at it until then.
  var description: GuestDescription?
  var child: (any PeerProcess)?
  var channel: Owned<HandoffLink>?
  var checkpointMemory: CheckpointMemory?
  /// Writes to that memory.
  var checkpoint: CheckpointWriter?
  /// Bytes of the checkpoint, once it is written.
  var savedLength = 0
  /// Numbers of the descriptors that a recovery may copy out of this process, kept open by `held`.
  var held = DescriptorBag()
  var stunDeadline: UInt64 = 0
  private let isToGiveUp = OneWayFlag()
  /// The block's limits as they were when the request was accepted: what somebody writes there later is nobody's
  /// wish. Nanoseconds; the deadline is on the monotonic clock.
  let maxDowntime: UInt64
  let deadline: UInt64

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

  func now() -> UInt64 { world.now() }

  /// Lets `run` come to an end where the guest stands still and the word gives it to nobody. For a VM that was told to
  /// end; from any thread.
  public func giveUp() { isToGiveUp.raise() }

  /// Runs the handoff to its end.
  public func run() -> End {
    while true {
      if isToGiveUp.isUp, isStandingStill {
        endDestination()
        return .givenUp
      }
      switch machine.step {
      case .keep:
        fault.reach(SourceStep.keep.rawValue, in: world)
        guest.finished(block, because: reason)
        // Nobody watches a block without a name. Said last: whoever asks again at once is not turned away for this one.
        if !isPublished { coordinator.tell(.refused(reason ?? Self.noReason)) }
        return .kept
      case .leave:
        fault.reach(SourceStep.leave.rawValue, in: world)
        return .left
      case .publishBlock, .startDestination, .negotiate, .sendManifest, .awaitPrepared, .precopy, .quiesce,
        .stun,
        .saveCheckpoint, .releaseStorage, .complete, .wake, .race, .claimSource, .fence, .takeBack,
        .claimResumed, .resume, .reap, .report, .release, .park:
        step()
      }
    }
  }

  /// Performs the current step and goes on to the next.
  public func step() {
    fault.reach(machine.step.rawValue, in: world)
    if machine.step == .stun {
      stun()
    } else {
      let outcome = perform(machine.step)
      _ = machine.next(after: outcome)
    }
  }

  func perform(_ step: SourceStep) -> StepOutcome {
    switch step {
    case .publishBlock: attempting { try publishBlock() }
    case .startDestination: attempting { try startDestination() }
    case .negotiate: attempting { try negotiate() }
    case .sendManifest: attempting { try sendManifest() }
    case .awaitPrepared: attempting { try awaitPrepared() }
    case .precopy: attempting { try precopy() }
    case .quiesce: attempting { try quiesce() }
    case .saveCheckpoint: attempting { try saveCheckpoint() }
    case .releaseStorage: releaseStorage()
    case .complete: complete()
    case .wake: wake()
    case .race: race()
    case .claimSource: claim(.source)
    case .fence: fence()
    case .takeBack: takeBack()
    case .claimResumed: claim(.resumed)
    case .resume: resume()
    case .reap: reap()
    case .report: report()
    case .release: release()
    case .park: park()
    case .stun, .keep, .leave: preconditionFailure("\(step) is not performed here")
    }
  }

  /// A step that may fail: what is thrown becomes the reason, unless the word was moved before.
  private func attempting(_ body: () throws -> StepOutcome) -> StepOutcome {
    do { return try body() } catch {
      let state = block.state
      // What fails of somebody's calling it off is not why. A block that was not published is nobody's to follow.
      if state != .none {
        if machine.step != .publishBlock { return .found(state) }
        reason = block.reason(of: .coordinator) ?? HandoffError.aborted.reason
        return .failed
      }
      giveReason(Reason(of: error))
      return .failed
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
}
