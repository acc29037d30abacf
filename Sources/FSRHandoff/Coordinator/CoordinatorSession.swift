public import FSRSystem

/// A coordinator, performed: a loop over the steps of `Coordinator`.
///
/// It runs in the process of whoever typed `fsr handoff` or `fsr recover`, and can die without harm.
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
  /// The connection on which an answer to the request is due.
  var asked: Owned<HandoffLink>?
  var fault: FaultPlan
  /// Why it ended as it did; nil where there is nothing to say.
  public internal(set) var reason: Reason? {
    // A source has no words where another party has them.
    didSet { if reason?.what.isEmpty == true { reason = nil } }
  }
  /// Whether nothing was begun, for a reason that was found before anybody was asked.
  public internal(set) var isObstructed = false
  /// The newest block this coordinator knows.
  public internal(set) var block: ControlBlock?

  var lock: Owned<VMLock>?
  var channel: Owned<HandoffLink>?
  var copies: Owned<HeldDescriptors>?
  var source: PeerVMM?
  var destination: PeerVMM?
  /// When the block last changed, and to what.
  var lastChange: UInt64 = 0
  var lastSeen: [UInt64] = []
  var giveUpAt: UInt64 = .max
  /// When a handoff of this coordinator's is called off. The block says so too, to all who may write there.
  var deadline: UInt64 = .max
  /// How far a handoff was at the last look that goes on without its coordinator.
  var lastProgress: [UInt64] = []
  /// Whether it goes on as far as is known: it was seen to, not long ago, or was not watched for long.
  var isGoingOn = false

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

  /// Runs to the end, and answers how it ended.
  public mutating func run() -> HandoffEnd {
    var loss: Reason?
    while machine.step != .finish {
      step()
      // Before losers are seen gone: of them nobody died of it.
      if machine.end == .lost, loss == nil { loss = whyLost() }
    }
    reason = loss ?? reason
    if machine.end == .stunned, reason == nil { reason = whyStunned() }
    fault.reach(CoordinatorStep.finish.rawValue, in: world)
    return machine.end
  }

  /// Performs the current step and goes on to the next.
  public mutating func step() {
    fault.reach(machine.step.rawValue, in: world)
    let event = perform(machine.step)
    _ = machine.next(after: event)
  }

  mutating func perform(_ step: CoordinatorStep) -> Coordinator.Event {
    do {
      switch step {
      case .lock: return try takeLock() ? .done : .failed
      case .settle: return try settle() ? .done : .failed
      case .createBlock: return try createBlock()
      case .request: return try request()
      case .takeCopies: return try takeCopies()
      case .acknowledge: return try acknowledge()
      case .gather: return try gather() ? .done : .failed
      case .watch: return watch()
      case .revoke: return claim(.source)
      case .succeed: return claim(.successor)
      case .startSuccessor: return try startSuccessor()
      case .reapLosers: return reapLosers()
      case .finish: preconditionFailure("nothing follows finish")
      }
    } catch {
      let unusable = (error as? HandoffError)?.unusableBlock(of: name)
      reason = reason ?? Reason(of: unusable ?? error)
      return step == .request && isSourceGone(after: error) ? .saw(look()) : .failed
    }
  }

  /// Whether the source has died, of the request or before it.
  private func isSourceGone(after error: any Error) -> Bool {
    // Who dies hangs up a moment before its pidfd says so.
    let hasHungUp = if case HandoffError.peerGone = error { true } else { false }
    return source?.waitForExit(timeout: hasHungUp ? limits.pollInterval * 50 : 0) == true
  }

  var interrupted: Reason { Reason("\(canceller()) interrupted it", code: .interrupted) }

  private func whyRevoked(_ block: ControlBlock) -> Reason {
    if isCancelled() { return interrupted }
    if destination?.isGone == true { return Reason("the destination died") }
    if block.hasReleased(.destination) { return Reason("the destination gave up") }
    if isLate(block) {
      return Reason("the handoff took longer than its timeout", remedy: "allow more with --timeout")
    }
    return Reason("the handoff did not go on")
  }

  /// Nothing can be begun, for `code`.
  mutating func obstruct(_ code: ReasonCode, _ what: String, remedy: String? = nil) -> Bool {
    isObstructed = true
    reason = Reason(what, remedy: remedy, code: code)
    return false
  }

  mutating func claim(_ state: ResumeState) -> Coordinator.Event {
    guard let block else { return .failed }
    if state == .source {
      block.explain(.coordinator, whyRevoked(block))
    }
    switch block.claim(state, by: .coordinator) {
    case .made:
      block.announce()
      block.ring()
      return .done
    case .found(let other):
      // Where somebody writes over the word the next look shows the same.
      wait(limits.pollInterval)
      return .found(other)
    }
  }

  /// Whether the time is over that all of the handoff may take.
  func isLate(_ block: ControlBlock) -> Bool { now() >= min(deadline, block.deadline) }
}
