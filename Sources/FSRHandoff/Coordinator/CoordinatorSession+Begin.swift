internal import FSRState
internal import FSRSystem

/// From the lock to the block.
extension CoordinatorSession {
  /// Sees that the VM has an owner that lives, and that nothing is left of an earlier handoff.
  mutating func settle() throws -> Turn {
    guard case .until(let deadline) = phase else {
      if let turn = try findOwner() { return turn }
      phase = .until(now() + limits.reap * 2)
      return try settle()
    }
    guard let block else { preconditionFailure("looked at before") }
    let owner: Party = block.state == .resumed ? .source : .destination
    if let loser = PeerVMM(owner == .source ? .destination : .source, of: block, in: world), !loser.isGone {
      guard now() < deadline else {
        return obstruct(
          .unsettled, "the loser of an earlier handoff of \(name) still lives",
          remedy: "run `fsr recover \(name)`")
      }
      return pause(limits.pollInterval)
    }
    peers.source = PeerVMM(owner, of: block, in: world)
    if let identity = block.identity(of: owner), world.isStopped(identity) {
      verdict.reason = standsStill(identity)
      return .event(.failed)
    }
    return .event(.done)
  }

  /// Looks at the newest block; nil where it has an owner, and he lives.
  private mutating func findOwner() throws -> Turn? {
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
    guard let victor = PeerVMM(newest.state == .resumed ? .source : .destination, of: newest, in: world),
      !victor.isGone
    else { return obstruct(.lost, "the process that owned it is gone") }
    return nil
  }

  mutating func neverStarted() -> Turn {
    obstruct(.neverStarted, "\(name) has no control block, it was never started")
  }

  func standsStill(_ source: ProcessIdentity) -> Reason {
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

  mutating func createBlock() throws -> Turn {
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
    try fresh.enroll(further: Array(old.identities(of: owner).dropFirst()), of: .source)
    fresh.enroll(.coordinator, as: world.me, in: world.namespace)
    fresh.maxDowntime = options.maxDowntime
    patience.deadline = now() &+ min(options.timeout, HandoffLimits.longest)
    fresh.deadline = patience.deadline
    fresh.beat(.coordinator, at: now())
    block = fresh
    return .event(.done)
  }

  /// Says that this coordinator lives, to whoever would take its place.
  func beat() {
    holdings.lock?.value.beat(at: now())
    guard let block else { return }
    block.beat(.coordinator, at: now())
    onLook(block)
  }
}
