internal import FSRSystem

/// The switch, which is offered to the guest's first vCPU thread, the leader.
extension DestinationSession: SwitchLeader {
  // MARK: by the session's thread

  /// Offers the switch to the leader.
  func offerSwitch() -> Turn {
    phase = .fresh
    turn.pass(to: .open)
    // Said only now: from here on the switch needs nothing of this thread. Where it cannot be said, the source
    // is gone, and that is seen.
    if kind == .handoff { try? channel.value.send(.prepared) } else { block.ring() }
    return .passed
  }

  /// Looks whether the switch is done, and takes it back where it is not to come; nil once this thread has the turn again.
  func watchSwitch() -> Wait? {
    if let outcome = reasonForNoSwitch(), turn.take(.session) {
      goOn(after: outcome)
      return nil
    }
    if turn.isWithSession { return nil }
    // A source that died before it rang has said complete all the same.
    if block.isComplete { block.ring() }
    let time = now()
    guard let source, !source.isGone else {
      return .word(block.state, of: block, until: time &+ limits.pollInterval)
    }
    // Near the switch what the first vCPU thread cannot do is done here, and the source waits for it.
    var wait = Wait(until: time &+ (block.isComplete ? limits.pollInterval / 4 : limits.pollInterval * 5))
    if let process = source.process { wait.processes = [process] }
    return wait
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

  // MARK: by vCPU threads

  public func leadSwitch() -> Bool {
    while true {
      switch advanceSwitch() {
      case .waits(let wait): world.wait(wait)
      case .enter: return true
      case .leave: return false
      }
    }
  }

  public func advanceSwitch() -> SwitchState {
    if !turn.isWithVCPU {
      // Read first: whoever rings behind the looks ends the wait.
      let seen = block.doorbell
      if isOff.isUp { return .leave }
      rehearseOnce()
      guard block.isComplete || kind == .successor else { return parked(since: seen) }
      guard turn.take(.vCPU) else {
        if isOff.isUp { return .leave }
        // Complete came before the session had offered the switch, or is being handled by it.
        return parked(since: seen, isShort: block.isComplete && !turn.isOpen)
      }
      block.passFirst(.seen, at: now())
      if kind == .handoff { goOn(after: .done) }
    }
    while machine.step != .reap && machine.step != .giveBack && machine.step != .release {
      switch proceed() {
      case .outcome(let outcome): goOn(after: outcome)
      case .waits(let wait): return .waits(wait)
      case .passed: preconditionFailure("the leader has the turn")
      }
    }
    let isToEnter = machine.step == .reap
    if isToEnter { block.passFirst(.entered, at: now()) }
    turn.pass(to: .session)
    return isToEnter ? .enter : .leave
  }

  /// The stun is next: what it needs goes into this processor's caches once more.
  private func rehearseOnce() {
    guard !hasRehearsed, block.time(of: .quiesced) != 0, !block.isComplete else { return }
    guest.rehearse()
    hasRehearsed = true
  }

  private func parked(since seen: UInt32, isShort: Bool = false) -> SwitchState {
    let timeout = isShort ? limits.pollInterval / 10 : limits.pollInterval * 50
    return .waits(.ring(after: seen, at: block, until: now() &+ timeout))
  }

  public func followSwitch() {
    while true {
      let seen = block.doorbell
      if block.isComplete || block.state == .destination || isOff.isUp { return }
      world.wait(.ring(after: seen, at: block, until: now() &+ limits.pollInterval * 50))
    }
  }
}
