internal import FSRState
internal import FSRSystem

/// The steps up to the watch.
extension CoordinatorSession {
  mutating func takeLock() throws -> Bool {
    let deadline = now() + options.timeout
    while true {
      switch try attemptLock() {
      case .taken(let lock):
        self.lock = Owned(lock)
        return true
      case .held(let holder):
        if machine.purpose == .handoff {
          return obstruct(
            .busy,
            "another handoff, check or recovery of \(name) is under way"
              + (holder.map { " (process \($0.identity.pid))" } ?? ""))
        }
        try evict(holder)
      }
      guard now() < deadline else {
        return obstruct(
          .busy, "another coordinator of \(name) is at work and does not end", remedy: "wait for it")
      }
      wait(limits.pollInterval * 25)
    }
  }

  private func attemptLock() throws(HandoffError) -> VMLock.Attempt {
    do { return try world.lock(folder) } catch {
      guard case .system(let failure) = error, failure.isReadOnly else { throw error }
      throw .refused(
        Reason(
          "the folder of \(name) is on a file system that is mounted read-only, and a handoff writes there",
          remedy: "mount it for writing", code: .rights))
    }
  }

  /// From a coordinator that hangs, a recovery takes the descriptors first, then its life.
  private mutating func evict(_ holder: VMLock.Holder?) throws {
    guard let holder, now() > holder.heartbeat &+ limits.settle else { return }
    let pid = holder.identity.pid
    guard world.sees(holder.namespace) else {
      throw HandoffError.refused(
        Reason(
          "process \(pid), which coordinates \(name), is of another PID namespace and does not go on",
          remedy: "run this in that one, where it can be ended", code: .rights))
    }
    guard let process = try world.open([holder.identity]) else { return }
    try EndingRight.check(process, in: folder, of: name)
    if copies == nil, let newest = try newestBlock(), newest.identity(of: .coordinator) == holder.identity {
      try takeCopies(of: .coordinator, in: newest)
      // Nobody else may have them: they would end with it.
      guard copies != nil || newest.state.isTerminal || newest.heldDescriptors(of: .coordinator).isEmpty
      else {
        throw HandoffError.refused(
          Reason(
            "process \(pid), which coordinates \(name), does not go on, and what it holds of the guest cannot be copied",
            remedy: "run this as its user or as root", code: .rights))
      }
    }
    process.kill()
    _ = world.waitForExit(of: process, timeout: limits.reap)
  }

  /// Sees that the VM has an owner that lives, and that nothing is left of an earlier handoff.
  mutating func settle() throws -> Bool {
    guard let newest = try newestBlock() else {
      return neverStarted()
    }
    block = newest
    guard newest.state.isDecided else {
      if isUnderWay(newest) {
        return obstruct(
          .busy, "a handoff of \(name) is under way by itself, for whoever began it is gone",
          remedy: "wait for it, or call it off with `fsr abort \(name)`")
      }
      return obstruct(
        .unsettled, "an earlier handoff of \(name) is not settled", remedy: "run `fsr recover \(name)`")
    }
    let owner: Party = newest.state == .resumed ? .source : .destination
    guard let victor = PeerVMM(owner, of: newest, in: world), !victor.isGone else {
      return obstruct(.lost, "the process that owned it is gone")
    }
    let deadline = now() + limits.reap * 2
    while let loser = PeerVMM(owner == .source ? .destination : .source, of: newest, in: world), !loser.isGone
    {
      guard now() < deadline else {
        return obstruct(
          .unsettled, "the loser of an earlier handoff of \(name) still lives",
          remedy: "run `fsr recover \(name)`")
      }
      wait(limits.pollInterval)
    }
    source = PeerVMM(owner, of: newest, in: world)
    if let identity = newest.identity(of: owner), world.isStopped(identity) {
      reason = standsStill(identity)
      return false
    }
    return true
  }

  mutating func neverStarted() -> Bool {
    obstruct(.neverStarted, "\(name) has no control block, it was never started")
  }

  private func standsStill(_ source: ProcessIdentity) -> Reason {
    let standstill = world.standstill(of: source)
    let end = "`fsr stop \(name)` ends the VM"
    return Reason(
      "the VMM of \(name) does not answer: \(standstill.what)",
      remedy: standstill.remedy.map { "\($0), and \(end)" } ?? end)
  }

  /// The newest block; nil where there is none, as of a VM that was stopped.
  ///
  /// - Throws: `HandoffError.refused` for one that is unusable.
  func newestBlock() throws(HandoffError) -> ControlBlock? {
    do { return try blocks.newest() } catch { throw error.unusableBlock(of: name) ?? error }
  }

  /// Whether a handoff without its coordinator is still prepared by source and destination.
  private func isUnderWay(_ block: ControlBlock) -> Bool {
    guard block.state == .none, !block.isComplete, block.time(of: .stunned) == 0, now() < block.deadline,
      let source = block.identity(of: .source), !world.isStopped(source),
      PeerVMM(.source, of: block, in: world)?.isGone == false
    else { return false }
    return PeerVMM(.destination, of: block, in: world)?.isGone != true
  }

  mutating func createBlock() throws -> Coordinator.Event {
    guard let old = block else { preconditionFailure("settled with a block") }
    let owner: Party = old.state == .resumed ? .source : .destination
    guard let identity = old.identity(of: owner) else { throw HandoffError.badBlock("it names no owner") }
    let generation = old.generation + (owner == .destination ? 1 : 0)
    guard old.attempt < .max else { throw HandoffError.badBlock("there is no attempt after \(old.attempt)") }
    // What is older than the newest has been decided, and what is a draft has lost its coordinator.
    try blocks.removeOlder(than: old.attempt)
    let fresh = try blocks.create(
      attempt: old.attempt + 1, generation: generation, machine: old.machine, state: .none,
      draft: world.draftNumber())
    fresh.enroll(
      .source, as: identity, in: old.namespace(of: owner), speaking: old.version(of: owner))
    fresh.enroll(.coordinator, as: world.me, in: world.namespace)
    fresh.maxDowntime = options.maxDowntime
    deadline = now() &+ min(options.timeout, HandoffLimits.longest)
    fresh.deadline = deadline
    fresh.beat(.coordinator, at: now())
    block = fresh
    return .done
  }

  /// A source that a signal has stopped meanwhile is told by name, and one that does not answer in all the time that it has.
  private func standstill(after error: any Error, _ block: ControlBlock) -> HandoffError? {
    guard case HandoffError.deadline = error, let source = block.identity(of: .source),
      world.isStopped(source) || !isLate(block)
    else {
      return nil
    }
    return .refused(standsStill(source))
  }

  mutating func request() throws -> Coordinator.Event {
    guard let block else { preconditionFailure("a block was made") }
    do { return try ask(block) } catch let failure {
      let standstill = standstill(after: failure, block)
      let error = standstill ?? failure
      // One that hangs up without a word is about to be gone.
      if case HandoffError.peerGone(.source) = error { _ = source?.waitForExit(timeout: limits.reap) }
      // A source that takes the request later finds the word moved and no draft to publish, and leaves it at
      // that. One that has published calls the handoff off, and is watched doing so.
      // Said first: a source that finds the word moved tells why.
      let isAborted = block.state == .source
      let abort = isAborted ? block.reason(of: .coordinator) : nil
      if !isAborted { block.explain(.coordinator, isCancelled() ? interrupted : Reason(of: error)) }
      _ = block.claim(.source, by: .coordinator)
      var why = Reason(of: error)
      if abort == nil, standstill == nil, isLate(block) {
        why = Reason(why.what, remedy: why.remedy, code: .deadline)
      }
      if blocks.removeDraft(of: block) {
        awaitAnswer()
        guard let abort, source?.isGone == false else {
          reason = reason ?? why
          throw error
        }
        reason = abort
        return .found(.source)
      }
      reason = reason ?? abort ?? why
      return .done
    }
  }

  private mutating func ask(_ block: ControlBlock) throws -> Coordinator.Event {
    let link = Owned(try HandoffLink(try connect()))
    var introduction = DescriptorBag()
    introduction.append(try block.descriptor.duplicate())
    let request = HandoffRequest(
      executable: options.executable, fault: options.fault, plan: options.plan)
    try Self.send(.request(request), introduction, on: link.value, speaking: block.version(of: .source))
    asked = link
    let arrival = try receive(link.value, of: block, until: min(deadline, now() + limits.answer))
    asked = nil
    switch arrival {
    case .accepted:
      lastChange = now()
      channel = link
      return .done
    case .refused(let why): throw HandoffError.refused(why)
    case .none: throw HandoffError.peerGone(.source)
    case .some(let other): throw HandoffError.protocolViolation("\(other.name) where accepted is due")
    }
  }

  private func connect() throws -> UnixSocket {
    do throws(SystemError) {
      return try world.connect(in: folder, timeout: limits.answer)
    } catch {
      if error.isMissing, error.subject == VMFiles.socket { throw HandoffError.socketIsGone(of: name) }
      guard error.isRefused else { throw error }
      throw HandoffError.refused(
        Reason("nobody listens at the control socket of \(name)", remedy: "see `fsr status \(name)`"))
    }
  }

  /// A source that was asked and has not answered may just be getting ready: what it has made for that is gone when it
  /// says no.
  private mutating func awaitAnswer() {
    guard let link = asked.take() else { return }
    let deadline = now() + limits.reap
    while now() < deadline, (try? link.value.isReadable()) == false { wait(limits.pollInterval) }
  }

  /// A source that can serve nobody has hung up already, and said before that why.
  private static func send(
    _ message: Message, _ descriptors: borrowing DescriptorBag, on link: borrowing HandoffLink,
    speaking version: UInt16
  ) throws(HandoffError) {
    do throws(HandoffError) { try link.send(message, descriptors: descriptors, speaking: version) } catch {
      if case .system(let failure) = error, failure.isBrokenPipe { return }
      throw error
    }
  }

  /// The next message, without descriptors, unless the caller gives up first.
  private func receive(_ link: borrowing HandoffLink, of block: ControlBlock, until deadline: UInt64) throws
    -> Message?
  {
    while true {
      if try link.isReadable() { return try link.receive(timeout: 0, from: "source")?.message }
      if isCancelled() || block.state != .none && blocks.isDraft(block) { throw HandoffError.aborted }
      if now() >= deadline { throw HandoffError.deadline("the source's answer") }
      wait(limits.pollInterval)
    }
  }

  mutating func takeCopies() throws -> Coordinator.Event {
    guard let block, let channel else { return .failed }
    while true {
      beat()
      if try channel.value.isReadable() {
        guard var arrival = try channel.value.receive(timeout: 0, from: "source") else { return .failed }
        guard case .manifest = arrival.message else {
          if case .refused(let why) = arrival.message { reason = why }
          return .failed
        }
        let taken = Owned(try HeldDescriptors(arrival.descriptors.takeAll()))
        block.holdDescriptors(.coordinator, numbers: taken.value.numbers)
        copies = taken
        return .done
      }
      if block.state != .none || isCancelled() || isLate(block) { return .failed }
      var wait = Wait(until: now() + limits.pollInterval * 5)
      wait.links = [channel]
      world.wait(wait)
    }
  }

  mutating func acknowledge() throws -> Coordinator.Event {
    // A source that has hung up says in the block why.
    do { try channel?.value.send(.holding) } catch { return .failed }
    return .done
  }

  /// Says that this coordinator lives, to whoever would take its place.
  func beat() {
    lock?.value.beat(at: now())
    guard let block else { return }
    block.beat(.coordinator, at: now())
    onLook(block)
  }

  func wait(_ nanoseconds: UInt64) {
    beat()
    world.sleep(nanoseconds)
  }
}

/// The files in a VM's folder that a handoff knows.
public enum VMFiles {
  /// The control socket: its name stays the same whoever owns the VM.
  public static let socket = "control.sock"
  /// Where every VMM of this VM writes what goes to standard output and error.
  public static let log = "log"
  /// What whoever coordinates holds.
  public static let lock = "lock"
}
