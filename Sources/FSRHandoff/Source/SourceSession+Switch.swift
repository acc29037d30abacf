internal import FSRState
internal import FSRSystem

/// The steps from the stun to the race: nothing here logs, and nothing allocates that can be avoided.
extension SourceSession {
  /// Stops the guest, and lets the vCPU thread that stops last do the rest up to the race.
  func stun() {
    if block.state != .none || block.isCorrupt {
      if block.isCorrupt { giveReason(HandoffError.badBlock("its word is written over").reason) }
      _ = machine.next(after: .found(block.state))
      return
    }
    block.pass(.stunned, at: now())
    stunDeadline = now() &+ maxDowntime
    turn.pass(to: .vCPU)
    guest.stun { [self] in
      block.pass(.left, at: now())
      switchOver()
    }
    while !turn.isWithSession {
      // Whatever the word says: a wait that returns at once would spin above the vCPUs, which are to stop.
      world.wait(while: block.state, of: block, timeout: limits.pollInterval)
      let isLate = now() >= stunDeadline
      // Looked at before it is taken back: what it waits for may end then.
      let hindrance = isLate ? guest.hindrance : nil
      guard isLate || block.state != .none, !turn.isWithSession, guest.cancelStun() else { continue }
      // Nobody came to the switchover, and nobody will.
      if isLate { giveReason(whyNotStunned(hindrance)) }
      turn.pass(to: .session)
      _ = machine.next(after: .failed)
      return
    }
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
    _ = machine.next(after: .done)
    while machine.step == .saveCheckpoint || machine.step == .releaseStorage || machine.step == .complete {
      fault.reach(machine.step.rawValue, in: world)
      let outcome = perform(machine.step)
      _ = machine.next(after: outcome)
    }
    guard machine.step == .wake else {
      turn.pass(to: .session)
      return
    }
    fault.reach(SourceStep.wake.rawValue, in: world)
    _ = machine.next(after: .done)
    // The last deed of this thread: the woken one may need its processor, so nothing may come after.
    turn.pass(to: .session)
    block.ring()
  }

  func saveCheckpoint() throws -> StepOutcome {
    guard checkpoint != nil, let memory = checkpointMemory else {
      preconditionFailure("the checkpoint's memory is made before")
    }
    try guest.drainDevices()
    // The last moment for it: once there is a checkpoint somebody may run the guest who was lied to.
    if block.isCorrupt { return .found(block.state) }
    block.beginSaving()
    try guest.save(to: &checkpoint!)
    savedLength = checkpoint!.length
    guard savedLength <= memory.capacity else {
      throw StateError.tooLong(savedLength, limit: memory.capacity)
    }
    block.pass(.saved, at: now())
    return .done
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
    let checksum = checkpointMemory?.checksum(of: savedLength) ?? 0
    block.pass(.completed, at: now())
    block.complete(length: UInt64(savedLength), checksum: checksum)
    return .done
  }

  /// Reached only where the switchover did not get so far by itself.
  func wake() -> StepOutcome {
    block.ring()
    return .done
  }

  /// Waits until somebody has moved the word, or the guest has stood still for too long.
  func race() -> StepOutcome {
    while true {
      let state = block.state
      switch state {
      case .none, .destVerify:
        if now() >= stunDeadline {
          giveReason(
            Reason("the destination did not run the guest within \(HandoffLimits.milliseconds(maxDowntime))"))
          return .failed
        }
        if let child, child.hasExited {
          giveReason(Reason("the destination died"))
          return .failed
        }
        world.wait(while: state, of: block, timeout: limits.pollInterval)
      case .source, .resumed, .destination, .successor:
        return .found(state)
      }
    }
  }
}
