internal import FSRState
public import FSRSystem

/// The destination's half of a handoff, performed: a loop over the steps of `DestinationHandoff`.
///
/// The set-up and the clean-up run on the thread that calls `run`. The switch runs on the guest's first
/// vCPU thread, which waits for it in `leadSwitch` and then enters the guest; `SessionTurn` says whose turn it is.
public final class DestinationSession<Guest: HandoffDestination>: SwitchLeader, @unchecked Sendable {
  // Sendable by the turn: all that varies is touched only by the thread that has it.
  public let guest: Guest
  let limits: HandoffLimits
  let world: any HandoffWorld
  let turn = SessionTurn()
  let channel: Owned<HandoffLink>
  public let block: ControlBlock
  let hello: Hello
  let blocks: BlockDirectory

  let kind: DestinationHandoff.Kind
  var machine: DestinationHandoff
  var fault: FaultPlan
  var source: PeerVMM?
  var checkpointMemory: Owned<MappedRegion>?
  var held = DescriptorBag()
  /// What this side itself could not do; nil while there is nothing.
  public private(set) var failure: String?
  /// The parked leader goes home without the guest.
  let isOff = OneWayFlag()

  /// Takes the starter's hello from the inherited socket.
  ///
  /// - Parameter makeGuest: makes what is to take the guest. The starter is told why it cannot be made.
  /// - Throws: `HandoffError` where what comes is no hello of a handoff that this build can take part in; what `makeGuest`
  ///   throws.
  public init(
    socket: consuming UnixSocket, limits: HandoffLimits = HandoffLimits(),
    in world: any HandoffWorld = LinuxWorld.shared, guest makeGuest: () throws -> Guest
  ) throws {
    let channel = try HandoffLink(socket)
    var arrival = try Self.firstMessage(on: channel, timeout: limits.answer)
    guard case .hello(let hello) = arrival.message, let file = arrival.descriptors.take(0),
      let folder = arrival.descriptors.take(1)
    else { throw HandoffError.protocolViolation("\(arrival.message.name) where hello is due") }
    block = try Self.adopt(file, telling: channel)
    blocks = try Self.adopt(folder, telling: channel)
    guest = try Self.make(makeGuest, telling: channel)
    block.introduce(.destination, in: world.namespace)
    self.channel = Owned(channel)
    self.hello = hello
    self.limits = limits
    self.world = world
    kind = hello.isSuccessor ? .successor : .handoff
    machine = DestinationHandoff(kind)
    fault = FaultPlan.read(hello.fault, for: .destination)
    source = PeerVMM(.source, of: block, in: world)
  }

  /// What the starter says first. A process whose limits leave no room for what comes with it says so while it can.
  private static func firstMessage(on channel: borrowing HandoffLink, timeout: UInt64) throws(HandoffError)
    -> HandoffLink.Arrival
  {
    do throws(HandoffError) {
      guard let arrival = try channel.receive(timeout: timeout, from: "source") else {
        throw .peerGone(.source)
      }
      return arrival
    } catch {
      refuse(error, on: channel)
      throw error
    }
  }

  private static func adopt(_ file: consuming OwnedDescriptor, telling channel: borrowing HandoffLink)
    throws(HandoffError) -> ControlBlock
  {
    do throws(HandoffError) { return try ControlBlock(adopting: file) } catch {
      refuse(error, on: channel)
      throw error
    }
  }

  private static func adopt(_ folder: consuming OwnedDescriptor, telling channel: borrowing HandoffLink)
    throws(HandoffError) -> BlockDirectory
  {
    do throws(HandoffError) { return try BlockDirectory(adopting: folder) } catch {
      refuse(error, on: channel)
      throw error
    }
  }

  private static func make(_ makeGuest: () throws -> Guest, telling channel: borrowing HandoffLink) throws
    -> Guest
  {
    do { return try makeGuest() } catch {
      refuse(error, on: channel)
      throw error
    }
  }

  static func refuse(_ error: any Error, on channel: borrowing HandoffLink) {
    try? channel.send(.refused(Reason(of: error)))
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

  /// Runs the handoff to its end.
  public func run() -> End {
    while true {
      switch machine.step {
      case .keep:
        fault.reach(DestinationStep.keep.rawValue, in: world)
        guest.finished(block)
        block.announce()
        return .kept
      case .leave:
        fault.reach(DestinationStep.leave.rawValue, in: world)
        return .left
      case .negotiate, .prepare, .awaitComplete, .claimVerify, .fence, .takeStorage, .verify,
        .claimDestination, .resume, .reap, .publish, .giveBack, .release, .park:
        step()
      }
    }
  }

  /// Performs the current step and goes on to the next.
  public func step() {
    switch machine.step {
    case .awaitComplete: awaitSwitch()
    // A successor's checkpoint is complete already: its first vCPU thread goes on from here.
    case .fence where machine.kind == .successor: awaitSwitch()
    case .negotiate, .prepare, .claimVerify, .fence, .takeStorage, .verify, .claimDestination, .resume, .reap,
      .publish, .giveBack, .release, .park, .keep, .leave:
      performOne()
    }
  }

  private func performOne() {
    fault.reach(machine.step.rawValue, in: world)
    let outcome = perform(machine.step)
    _ = machine.next(after: outcome)
  }

  func perform(_ step: DestinationStep) -> StepOutcome {
    switch step {
    case .negotiate: attempting { try negotiate() }
    case .prepare: attempting { try prepare() }
    case .claimVerify: claim(.destVerify)
    case .fence: fence()
    case .takeStorage: takeStorage()
    case .verify: attempting { try verify() }
    case .claimDestination: claim(.destination)
    case .resume: resume()
    case .reap: reap()
    case .publish: publish()
    case .giveBack: giveBack()
    case .release: release()
    case .park: park()
    case .awaitComplete, .keep, .leave: preconditionFailure("\(step) is not performed here")
    }
  }

  /// A step that may fail: what is thrown becomes the reason.
  private func attempting(_ body: () throws -> StepOutcome) -> StepOutcome {
    do { return try body() } catch {
      note(error)
      return .failed
    }
  }

  func note(_ error: any Error) {
    // What fails because the handoff was called off is not why it was.
    let state = block.state
    guard state == .none || state == .destVerify || state == .destination else { return }
    block.explain(.destination, Reason(of: error))
    failure = failure ?? "\(error)"
  }

  // MARK: the switch

  /// Offers the switch to the first vCPU thread, and waits until it is done or is not to come.
  private func awaitSwitch() {
    fault.reach(machine.step.rawValue, in: world)
    turn.pass(to: .open)
    // Said only now: from here on the switch needs nothing of this thread. Where it cannot be said, the source
    // is gone, and the loop sees that.
    if kind == .handoff { try? channel.value.send(.prepared) }
    while !turn.isWithSession {
      if let outcome = reasonForNoSwitch(), turn.take(.session) {
        _ = machine.next(after: outcome)
        return
      }
      // A source that died before it rang has said complete all the same.
      if block.isComplete { block.ring() }
      watchSource()
    }
  }

  /// Why there will be no switch: the word was moved, or the source has died before it said complete.
  private func reasonForNoSwitch() -> StepOutcome? {
    if kind == .successor { return nil }
    // The process first, the flag after it: a source seen gone has said complete before, or never will.
    let isSourceGone = source?.isGone ?? true
    if block.isComplete { return nil }
    if block.state != .none { return .found(block.state) }
    return isSourceGone ? .failed : nil
  }

  private func watchSource() {
    if source?.isGone == true {
      world.wait(while: block.state, of: block, timeout: limits.pollInterval)
      return
    }
    // Near the switch what the first vCPU thread cannot do is done here, and the source waits for it.
    var wait = Wait(until: now() + (block.isComplete ? limits.pollInterval / 4 : limits.pollInterval * 5))
    if let process = source?.process { wait.processes = [process] }
    world.wait(wait)
  }

  private func park(since seen: UInt32, timeout: UInt64) {
    var wait = Wait(until: now() &+ timeout)
    wait.doorbell = (block, seen)
    world.wait(wait)
  }

  public func followSwitch() {
    while true {
      let seen = block.doorbell
      if block.isComplete || block.state == .destination || isOff.isUp { return }
      park(since: seen, timeout: limits.pollInterval * 50)
    }
  }

  public func leadSwitch() -> Bool {
    var hasRehearsed = false
    while true {
      let seen = block.doorbell
      if isOff.isUp { return false }
      if !hasRehearsed, block.time(of: .quiesced) != 0, !block.isComplete {
        // The stun is next: what it needs goes into this processor's caches once more.
        guest.rehearse()
        hasRehearsed = true
      }
      if block.isComplete || kind == .successor, turn.take(.vCPU) { break }
      if block.isComplete, !turn.isOpen, !isOff.isUp {
        // Complete came before the session had offered the switch, or is being handled by it.
        park(since: seen, timeout: limits.pollInterval / 10)
        continue
      }
      park(since: seen, timeout: limits.pollInterval * 50)
    }
    block.passFirst(.seen, at: now())
    if kind == .handoff { _ = machine.next(after: .done) }
    while machine.step != .reap && machine.step != .giveBack && machine.step != .release { performOne() }
    let isToEnter = machine.step == .reap
    if isToEnter { block.passFirst(.entered, at: now()) }
    turn.pass(to: .session)
    return isToEnter
  }
}
