internal import FSRState
internal import FSRSystem

/// The steps from the stun to the race: nothing here logs, and nothing allocates that can be avoided.
extension SourceSession {
  /// Stops the guest, and lets the vCPU thread that stops last do the rest up to the race.
  func stun() -> Turn {
    if block.state != .none || block.isCorrupt {
      if block.isCorrupt { giveReason(HandoffError.badBlock("its word is written over").reason) }
      return .outcome(.found(block.state))
    }
    block.pass(.stunned, at: now())
    stunDeadline = now() &+ maxDowntime
    turn.pass(to: .vCPU)
    guest.stun { [self] in
      block.pass(.left, at: now())
      switchOver()
    }
    return .passed
  }

  /// Looks whether the guest has stopped, and takes the stun back where it is late or not wanted any more; nil once this
  /// thread has the turn again.
  func watchStun() -> Wait? {
    let isLate = now() >= stunDeadline
    // Looked at before it is taken back: what it waits for may end then.
    let hindrance = isLate ? guest.hindrance : nil
    guard isLate || block.state != .none, !turn.isWithSession, guest.cancelStun() else {
      if turn.isWithSession { return nil }
      // Whatever the word says: a wait that returns at once would spin above the vCPUs, which are to stop.
      var wait = Wait(until: now() &+ limits.pollInterval)
      wait.word = (block, block.state)
      return wait
    }
    // Nobody came to the switchover, and nobody will.
    if isLate { giveReason(whyNotStunned(hindrance)) }
    turn.pass(to: .session)
    goOn(after: .failed)
    return nil
  }

  private func whyNotStunned(_ hindrance: String?) -> Reason {
    let limit = HandoffLimits.milliseconds(maxDowntime)
    guard let hindrance else { return Reason("the vCPUs did not stop within \(limit)") }
    return Reason(
      "\(hindrance), and did not come to rest within \(limit)",
      remedy: "try again, or allow more with --max-downtime")
  }

  /// Saves, releases, says complete, and wakes the destination, on the calling vCPU thread.
  private func switchOver() {
    goOn(after: .done)
    while machine.step == .saveCheckpoint || machine.step == .releaseStorage || machine.step == .complete {
      // What waits here was stopped on purpose, and does not come back.
      guard case .outcome(let outcome) = proceed() else { return }
      goOn(after: outcome)
    }
    guard machine.step == .wake else {
      turn.pass(to: .session)
      return
    }
    guard fault.reach(SourceStep.wake.rawValue, in: world) else { return }
    goOn(after: .done)
    // The last deed of this thread: the woken one may need its processor, so nothing may come after.
    turn.pass(to: .session)
    block.ring()
  }

  func saveCheckpoint() throws -> Turn {
    guard sent != nil else { preconditionFailure("the checkpoint's memory is made before") }
    try guest.drainDevices()
    // The last moment for it: once there is a checkpoint somebody may run the guest who was lied to.
    if block.isCorrupt { return .outcome(.found(block.state)) }
    block.beginSaving()
    try guest.save(to: &sent!.checkpoint)
    try sent!.checkLength()
    block.pass(.saved, at: now())
    return .outcome(.done)
  }

  func releaseStorage() -> StepOutcome {
    guest.releaseStorage()
    return .done
  }

  func complete() -> StepOutcome {
    // Who was stopped meanwhile may have lost the guest to nobody: then it takes it back at once.
    let state = block.state
    // A word that is written over is put right as the guest is taken back, and can be only before complete.
    if state != .none || block.isCorrupt { return .found(state) }
    let (length, checksum) = (sent?.checkpoint.length ?? 0, sent?.checksum ?? 0)
    block.pass(.completed, at: now())
    block.complete(length: UInt64(length), checksum: checksum)
    return .done
  }

  /// Reached only where the switchover did not get so far by itself.
  func wake() -> StepOutcome {
    block.ring()
    return .done
  }

  /// Until somebody has moved the word, or the guest has stood still for too long.
  func race() -> Turn {
    let state = block.state
    switch state {
    case .none, .destVerify:
      if now() >= stunDeadline {
        giveReason(
          Reason("the destination did not run the guest within \(HandoffLimits.milliseconds(maxDowntime))"))
        return .outcome(.failed)
      }
      if let destination, destination.process.hasExited {
        giveReason(Reason("the destination died"))
        return .outcome(.failed)
      }
      return .waits(whileIn: state, of: block, until: now() &+ limits.pollInterval)
    case .source, .resumed, .destination, .successor:
      return .outcome(.found(state))
    }
  }
}
