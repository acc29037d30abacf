public import FSRSystem

/// A coordinator, performed: a loop over the steps of `Coordinator`.
///
/// It runs in the process of whoever typed `fsr handoff` or `fsr recover`, and can die without harm. It never waits by
/// itself: `advance` does what can be done now, and answers what is to be waited for.
public struct CoordinatorSession: ~Copyable {
  /// What the caller wants of a handoff.
  public struct Options: Sendable {
    /// The destination's executable; empty for the source's own.
    public var executable = ""
    /// Nanoseconds.
    public var maxDowntime: UInt64 = 50_000_000
    /// Nanoseconds for all of it.
    public var timeout: UInt64 = 30_000_000_000
    public var fault = ""
    public var plan = HandoffPlan()

    public init() {}
  }

  let limits: HandoffLimits
  let world: any HandoffWorld
  let options: Options
  /// Whether the caller wants it to end: a signal came.
  let isCancelled: () -> Bool
  /// What it was that came, for the reason.
  let canceller: () -> String
  /// Shown the block again and again while it waits.
  let onLook: (ControlBlock) -> Void
  let name: String

  /// The VM's folder, and in it the sockets and the blocks.
  let folder: Directory
  let blocks: BlockDirectory
  var machine: Coordinator
  /// What the current step waits for.
  var phase = Phase.fresh
  var fault: FaultPlan
  var verdict = Verdict()
  /// The newest block this coordinator knows.
  public internal(set) var block: ControlBlock?

  var holdings = Holdings()
  var peers = Peers()
  var patience = Patience()

  /// - Parameters:
  ///   - name: the VM's name, for messages.
  ///   - folder: the VM's folder.
  ///   - world: what it asks of the kernel.
  ///   - isCancelled: asked between looks.
  ///   - onLook: shown the block at every look.
  public init(
    _ purpose: Coordinator.Purpose, name: String, folder: consuming Directory,
    blocks: consuming BlockDirectory,
    options: Options = Options(), limits: HandoffLimits = HandoffLimits(),
    in world: any HandoffWorld = LinuxWorld.shared, isCancelled: @escaping () -> Bool = { false },
    canceller: @escaping () -> String = { "a signal" },
    onLook: @escaping (ControlBlock) -> Void = { _ in }
  ) {
    machine = Coordinator(purpose)
    self.name = name
    self.folder = folder
    self.blocks = blocks
    self.options = options
    self.limits = limits
    self.world = world
    self.isCancelled = isCancelled
    self.canceller = canceller
    self.onLook = onLook
    fault = FaultPlan.read(options.fault, for: .coordinator)
  }

  func now() -> UInt64 { world.now() }

  /// Why it ended as it did; nil where there is nothing to say.
  public var reason: Reason? { verdict.reason }
  /// Whether nothing was begun, for a reason that was found before anybody was asked.
  public var isObstructed: Bool { verdict.isObstructed }

  /// What came of `advance`.
  public enum State: Sendable {
    /// `advance` is to be called again once something of it has come; earlier does no harm.
    case waits(Wait)
    case ended(HandoffEnd)
  }

  /// Runs to the end, and answers how it ended.
  public mutating func run() -> HandoffEnd {
    while true {
      switch advance() {
      case .waits(let wait): world.wait(wait)
      case .ended(let end): return end
      }
    }
  }

  /// Does what can be done now, and answers what it waits for, or how it ended.
  public mutating func advance() -> State {
    while machine.step != .finish {
      switch turn() {
      case .waits(let wait):
        beat()
        return .waits(wait)
      case .event(let event):
        phase = .fresh
        let isWatching = machine.step == .watch
        _ = machine.next(after: event)
        // Before losers are seen gone: of them nobody died of it.
        if machine.end == .lost, verdict.loss == nil { verdict.loss = whyLost() }
        if isWatching, machine.step == .watch { return pauseWatch() }
      }
    }
    if case .fresh = phase {
      phase = .begun
      verdict.reason = verdict.loss ?? reason
      if machine.end == .stunned, reason == nil { verdict.reason = whyStunned() }
      if !fault.reach(CoordinatorStep.finish.rawValue, in: world) { return .waits(Wait(until: now())) }
    }
    return .ended(machine.end)
  }

  /// What a step has come to for now.
  enum Turn {
    case event(Coordinator.Event)
    case waits(Wait)
  }

  /// How far a step is that waits.
  enum Phase {
    /// Its fault has not been reached.
    case fresh
    case begun
    case until(UInt64)
    /// What comes of it once it has waited.
    case paused(Coordinator.Event)
    /// A coordinator that hung was killed; the lock is tried for until the later moment.
    case evicting(any PeerProcess, until: UInt64, lockBy: UInt64)
    /// An answer to the request is due.
    case asking(Owned<HandoffLink>, until: UInt64)
    /// The source has hung up, and may be about to end.
    case failing(any Error, until: UInt64)
    /// The request was taken back, and the source may still say no to it.
    case withdrawn(RequestFailure, asked: Owned<HandoffLink>, until: UInt64)
  }

  /// Goes on with the current step.
  private mutating func turn() -> Turn {
    if case .fresh = phase {
      phase = .begun
      if !fault.reach(machine.step.rawValue, in: world) { return .waits(Wait(until: now())) }
    }
    if case .paused(let event) = phase { return .event(event) }
    return perform(machine.step)
  }

  private mutating func perform(_ step: CoordinatorStep) -> Turn {
    do {
      switch step {
      case .lock: return try takeLock()
      case .settle: return try settle()
      case .createBlock: return try createBlock()
      case .request: return try request()
      case .takeCopies: return try takeCopies()
      case .acknowledge: return try acknowledge()
      case .gather: return try gather()
      case .watch: return .event(watch())
      case .revoke: return claim(.source)
      case .succeed: return claim(.successor)
      case .startSuccessor: return try startSuccessor()
      case .reapLosers: return reapLosers()
      case .finish: preconditionFailure("nothing follows finish")
      }
    } catch {
      let unusable = (error as? HandoffError)?.unusableBlock(of: name)
      verdict.reason = reason ?? Reason(of: unusable ?? error)
      // The source has died of the request, or before it.
      return .event(step == .request && peers.source?.isGone == true ? .saw(look()) : .failed)
    }
  }

  /// Says what a step waits for that looks again and again.
  func pause(_ duration: UInt64) -> Turn { .waits(Wait(until: now() &+ duration)) }

  var interrupted: Reason { Reason("\(canceller()) interrupted it", code: .interrupted) }

  private func whyRevoked(_ block: ControlBlock) -> Reason {
    if isCancelled() { return interrupted }
    if peers.destination?.isGone == true { return Reason("the destination died") }
    if block.hasReleased(.destination) { return Reason("the destination gave up") }
    if isLate(block) {
      return Reason("the handoff took longer than its timeout", remedy: "allow more with --timeout")
    }
    return Reason("the handoff did not go on")
  }

  /// Nothing can be begun, for `code`.
  mutating func obstruct(_ code: ReasonCode, _ what: String, remedy: String? = nil) -> Turn {
    verdict.isObstructed = true
    verdict.reason = Reason(what, remedy: remedy, code: code)
    return .event(.failed)
  }

  mutating func claim(_ state: ResumeState) -> Turn {
    guard let block else { return .event(.failed) }
    if state == .source {
      block.explain(.coordinator, whyRevoked(block))
    }
    switch block.claim(state, by: .coordinator) {
    case .made:
      block.announce()
      block.ring()
      return .event(.done)
    case .found(let other):
      // Where somebody writes over the word the next look shows the same.
      phase = .paused(.found(other))
      return pause(limits.pollInterval)
    }
  }

  /// Whether the time is over that all of the handoff may take.
  func isLate(_ block: ControlBlock) -> Bool { now() >= min(patience.deadline, block.deadline) }
}
