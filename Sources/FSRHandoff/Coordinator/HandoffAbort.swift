internal import FSRState
public import FSRSystem

/// Calls a handoff off that somebody else coordinates: `fsr abort`.
///
/// It moves the word where the coordinator might, and takes no lock: whoever holds that is the one to be called
/// off. It never moves the word where nobody could take the guest back. It never waits by itself: `advance` answers what
/// is to be waited for.
public struct HandoffAbort: ~Copyable {
  /// What it came to.
  public enum End: Hashable, Sendable {
    /// The handoff was called off, and the source runs.
    case calledOff
    /// There was nothing to call off, or not any more.
    case nothing
    /// Nobody runs yet: somebody has to act.
    case stunned
    case lost
    /// The VM has no blocks: it was stopped meanwhile, or was never started.
    case gone
  }

  let name: String
  let folder: Directory
  let blocks: BlockDirectory
  let limits: HandoffLimits
  let world: any HandoffWorld
  let isCancelled: () -> Bool
  /// What the parties are told.
  let message: Reason
  /// The attempt that was seen undecided; it may be decided by the next look.
  private var chased: UInt32?
  var phase = Phase.begins

  /// Why it ended as it did, for a person.
  public internal(set) var reason: Reason?
  /// The block of the handoff that was called off, else the newest.
  public internal(set) var block: ControlBlock?

  /// - Parameters:
  ///   - name: the VM's name, for messages.
  ///   - folder: the VM's folder.
  ///   - world: what it asks of the kernel.
  ///   - isCancelled: asked between looks.
  public init(
    name: String, folder: consuming Directory, blocks: consuming BlockDirectory,
    limits: HandoffLimits = HandoffLimits(), in world: any HandoffWorld = LinuxWorld.shared,
    isCancelled: @escaping () -> Bool = { false }
  ) {
    self.name = name
    self.folder = folder
    self.blocks = blocks
    self.limits = limits
    self.world = world
    self.isCancelled = isCancelled
    message = Reason(
      "aborted by uid \(world.user), process \(world.me.pid)", code: .aborted)
  }

  func now() -> UInt64 { world.now() }

  /// What came of `advance`.
  public enum State: Sendable {
    /// `advance` is to be called again once something of it has come; earlier does no harm.
    case waits(Wait)
    case ended(End)
  }

  /// What it waits for.
  enum Phase {
    case begins
    /// Something to call off, or the moment.
    case looking(until: UInt64)
    /// A draft was claimed, and has its name soon or is removed.
    case withdrawing(ControlBlock, until: UInt64)
    /// The source was told to go on.
    case settling(ControlBlock, PeerVMM?, until: UInt64)
    /// The source runs, and the coordinator is about to end.
    case leaving(ControlBlock, until: UInt64)
  }

  /// Runs to the end, which is bounded: a coordinator that has begun nothing yet is waited for as long as it
  /// may settle what was before, and a source that is told to go on as long as it may take for it.
  public mutating func run() throws(HandoffError) -> End {
    while true {
      switch try advance() {
      case .waits(let wait): world.wait(wait)
      case .ended(let end): return end
      }
    }
  }

  /// Does what can be done now, and answers what it waits for, or how it ended.
  public mutating func advance() throws(HandoffError) -> State {
    switch phase {
    case .begins:
      let until = now() + limits.answer
      phase = .looking(until: until)
      return try look(until: until)
    case .looking(let until): return try look(until: until)
    case .withdrawing(let draft, let until): return try withdrawn(draft, until: until)
    case .settling(let block, let source, let until):
      return try settled(block, source, until: until)
    case .leaving(let block, let until): return left(block, until: until)
    }
  }

  private mutating func look(until deadline: UInt64) throws(HandoffError) -> State {
    if let state = try attempt() { return state }
    phase = .looking(until: deadline)
    if now() >= deadline || isCancelled() {
      reason = Reason(
        "a coordinator is at work on \(name) and has begun no handoff yet", remedy: "try again", code: .busy
      )
      return .ended(.nothing)
    }
    return pause()
  }

  func pause() -> State { .waits(Wait(until: now() &+ limits.pollInterval)) }

  /// One look and what follows of it; nil where another look is needed.
  private mutating func attempt() throws(HandoffError) -> State? {
    let found: ControlBlock?
    do { found = try blocks.newest() } catch { throw error.unusableBlock(of: name) ?? error }
    guard let newest = found else { return .ended(.gone) }
    block = newest
    switch newest.state {
    case .none, .destVerify: return try callOff(newest)
    case .source: return try settle(newest)
    case .successor:
      reason = Reason(
        "the source is dead or hung, and only a successor can run the guest",
        remedy: "see `fsr recover \(name)`",
        code: .unsettled)
      return .ended(.nothing)
    case .resumed, .destination: return try decided(newest)
    }
  }

  /// Moves the word of an undecided handoff; nil where somebody else moved it first.
  private mutating func callOff(_ newest: ControlBlock) throws(HandoffError) -> State? {
    chased = newest.attempt
    guard newest.identity(of: .source) != nil, let source = PeerVMM(.source, of: newest, in: world) else {
      reason = Reason(
        newest.generation == 0
          ? "\(name) is being started, no handoff is under way"
          : "the source is dead, and a successor is about to run the guest")
      return .ended(.nothing)
    }
    // The process first, the flag after it, as every coordinator looks.
    if source.isGone {
      guard newest.isComplete else {
        reason = Reason("the process that owned it is gone", code: .lost)
        return newest.state.isDecided ? nil : .ended(.lost)
      }
      if newest.state.isTerminal { return nil }
      reason = Reason(
        "the source is dead, and nobody else may take the guest back", remedy: "see `fsr recover \(name)`",
        code: .unsettled)
      return .ended(.nothing)
    }
    if claim(newest) { return try settle(newest) }
    return nil
  }

  func claim(_ block: ControlBlock) -> Bool {
    guard !block.state.isTerminal else { return false }
    block.explain(.coordinator, message)
    guard case .made = block.claim(.source, by: .coordinator) else { return false }
    block.announce()
    block.ring()
    return true
  }

  /// The newest handoff is over: there may be one that has no block yet.
  private mutating func decided(_ newest: ControlBlock) throws(HandoffError) -> State? {
    if chased == newest.attempt, newest.state == .resumed { return try settle(newest) }
    let owner: Party = newest.state == .resumed ? .source : .destination
    if PeerVMM(owner, of: newest, in: world)?.isGone ?? false, try blocks.newest()?.attempt == newest.attempt
    {
      reason = Reason("the process that owned it is gone", code: .lost)
      return .ended(.lost)
    }
    switch try world.lookAtLock(in: folder) {
    case .free:
      reason = chased == newest.attempt ? tooLate(newest) : Reason("no handoff of \(name) is under way")
      return .ended(.nothing)
    case .held(by: let holder):
      if let holder, let draft = try draft(of: holder) { return try withdraw(draft) }
      guard let holder, newest.identity(of: .coordinator) == holder.identity else {
        return chased == newest.attempt ? late(newest) : nil
      }
      return late(newest)
    }
  }

  private mutating func late(_ newest: ControlBlock) -> State {
    reason = tooLate(newest)
    return .ended(.nothing)
  }

  private func tooLate(_ newest: ControlBlock) -> Reason {
    Reason(
      newest.state == .destination
        ? "too late: the destination has won already"
        : "too late: the handoff was called off already, and the source runs")
  }
}
