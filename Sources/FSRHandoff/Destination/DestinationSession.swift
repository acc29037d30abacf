internal import FSRState
public import FSRSystem

/// The destination's half of a handoff, performed: a loop over the steps of `DestinationHandoff`.
///
/// It never waits by itself: `advance` does what can be done now, and answers what is to be waited for. The switch is
/// driven apart from the rest, by `advanceSwitch`: by the guest's first vCPU thread, which waits for it in `leadSwitch`
/// and then enters the guest. `SessionTurn` says whose turn it is.
public final class DestinationSession<Guest: HandoffDestination>: @unchecked Sendable {
  // Sendable by the turn: all that varies is touched only by the thread that has it.
  public let guest: Guest
  public let block: ControlBlock
  let limits: HandoffLimits
  let world: any HandoffWorld
  let turn = SessionTurn()
  let channel: Owned<HandoffLink>
  let hello: Hello
  let blocks: Owned<BlockDirectory>
  let kind: DestinationHandoff.Kind
  /// Nil where there is none, or it is this very process.
  let source: PeerVMM?
  /// The parked leader goes home without the guest.
  let isOff = OneWayFlag()

  var machine: DestinationHandoff
  /// What the current step waits for.
  var phase = Phase.fresh
  var fault: FaultPlan
  var checkpointMemory: Owned<MappedRegion>?
  var held = DescriptorBag()
  /// Whether the leader has gone through its part ahead of the stun; only it looks.
  var hasRehearsed = false
  /// What this side itself could not do; nil while there is nothing.
  public internal(set) var failure: String?

  /// - Parameter guest: what is to take the guest.
  public init(
    _ invitation: Invitation, guest: Guest, limits: HandoffLimits = HandoffLimits(),
    in world: any HandoffWorld = LinuxWorld.shared
  ) {
    self.guest = guest
    self.limits = limits
    self.world = world
    (channel, hello, block) = (invitation.link, invitation.hello, invitation.block)
    kind = hello.isSuccessor ? .successor : .handoff
    blocks = invitation.blocks
    machine = DestinationHandoff(kind)
    fault = FaultPlan.read(hello.fault, for: .destination)
    block.introduce(.destination, in: world.namespace)
    source = PeerVMM(.source, of: block, in: world)
  }

  func now() -> UInt64 { world.now() }

  /// The source's build; nil for a successor, whose source is gone.
  public var sourceBuild: String? { hello.build.isEmpty ? nil : hello.build }

  public var isSuccessor: Bool { kind == .successor }

  public enum End: Sendable {
    /// The guest is here.
    case kept
    /// The guest is elsewhere, and this process is to end.
    case left
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
    /// The switch is offered to the leader.
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
    /// Others are to leave the guest alone.
    case awaiting([PeerVMM], until: UInt64)
    /// Those that did not were killed, and their end is due.
    case killed([PeerVMM], until: UInt64)
  }

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
        guard let wait = watchSwitch() else { continue }
        return .waits(wait)
      }
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
    case .negotiate, .prepare, .awaitComplete, .claimVerify, .fence, .takeStorage, .verify, .claimDestination,
      .resume, .reap, .publish, .giveBack, .release, .park:
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

  private func perform(_ step: DestinationStep) -> Turn {
    switch step {
    case .negotiate: attempting { try negotiate() }
    case .prepare: attempting { try prepare() }
    case .awaitComplete: offerSwitch()
    case .claimVerify: .outcome(claim(.destVerify))
    // A successor's checkpoint is complete already: its first vCPU thread goes on from here.
    case .fence: kind == .successor && turn.isWithSession ? offerSwitch() : fence()
    case .takeStorage: takeStorage()
    case .verify: attempting { try verify() }
    case .claimDestination: .outcome(claim(.destination))
    case .resume: .outcome(resume())
    case .reap: reap()
    case .publish: .outcome(publish())
    case .giveBack: .outcome(giveBack())
    case .release: .outcome(release())
    case .park: park()
    case .keep: .outcome(keep())
    case .leave: .outcome(.done)
    }
  }

  /// A step that may fail: what is thrown becomes the reason.
  private func attempting(_ body: () throws -> Turn) -> Turn {
    do { return try body() } catch {
      note(error)
      return .outcome(.failed)
    }
  }

  func note(_ error: any Error) {
    // What fails because the handoff was called off is not why it was.
    let state = block.state
    guard state == .none || state == .destVerify || state == .destination else { return }
    block.explain(.destination, Reason(of: error))
    failure = failure ?? "\(error)"
  }
}

extension DestinationSession {
  /// Takes the starter's hello from the inherited socket, and waits for it there.
  ///
  /// - Parameter makeGuest: makes what is to take the guest. The starter is told why it cannot be made.
  /// - Throws: `HandoffError` where what comes is no hello of a handoff that this build can take part in; what `makeGuest`
  ///   throws.
  public convenience init(
    socket: consuming UnixSocket, limits: HandoffLimits = HandoffLimits(),
    in world: any HandoffWorld = LinuxWorld.shared, guest makeGuest: () throws -> Guest
  ) throws {
    let invitation = try Invitation(socket: socket, limits: limits, in: world)
    let guest: Guest
    do { guest = try makeGuest() } catch {
      invitation.refuse(error)
      throw error
    }
    self.init(invitation, guest: guest, limits: limits, in: world)
  }
}
