internal import FSRSystem

/// The steps after the race: taking the guest back, or leaving it.
extension SourceSession {
  func claim(_ state: ResumeState) -> Turn {
    // Who moved it there has said why.
    if state == .source, block.state != .source { giveReason(Reason("the handoff was called off")) }
    switch block.claim(state, by: .source) {
    case .made:
      if state == .resumed { block.pass(.decided, at: now()) }
      block.announce()
      // Its parked threads look at the word when they are woken.
      block.ring()
      return .outcome(.done)
    case .found(let other):
      guard block.isCorrupt else { return .outcome(.found(other)) }
      // A word that somebody has written over stays where it is: looked at as by one that has parked, until it is put
      // right or the VM is to end.
      if !machine.isComplete { endListener() }
      phase = .paused(.found(other))
      return .waits(Wait(until: now() &+ limits.pollInterval * 10))
    }
  }

  /// Before complete nobody but the destination could take for true what somebody has written over the word. With it gone
  /// the source puts that right.
  private func endListener() {
    destination?.process.kill()
    if destination?.process.hasExited != false { block.seeAlone() }
  }

  /// Until the destination can touch nothing any more; kills it when it does not say so in time.
  func fence() -> Turn {
    // The process that was started, not the one that the block names: a peer may have written another there.
    guard let process = destination?.process else { return .outcome(.done) }
    if block.state != .source { return .outcome(.found(block.state)) }
    if process.hasExited { return .outcome(.done) }
    switch phase {
    case .killed(let until):
      return now() >= until ? .outcome(.failed) : .waits(for: process, until: until)
    case .until(let moment) where now() >= moment:
      if block.hasReleased(.destination) { return .outcome(.done) }
      process.kill()
      let until = now() &+ limits.reap
      phase = .killed(until: until)
      return .waits(for: process, until: until)
    case .until: break
    case .fresh, .begun, .paused, .prepared, .copying, .givingUp: phase = .until(now() &+ limits.fence)
    }
    if block.hasReleased(.destination) { return .outcome(.done) }
    return .waits(whileIn: .source, of: block, until: now() &+ limits.pollInterval)
  }

  func takeBack() -> Turn {
    if block.state != .source { return .outcome(.found(block.state)) }
    if guest.reacquireStorage() { return .outcome(.done) }
    phase = .paused(.failed)
    return .waits(whileIn: .source, of: block, until: now() &+ limits.pollInterval)
  }

  func resume() -> StepOutcome {
    guest.resume()
    block.passFirst(.entered, at: now())
    return .done
  }

  /// Sees the destination gone, so that nothing of it is left when the handoff ends.
  func reap() -> Turn {
    // A guest that never stopped, or whose writers were only quiesced, goes on as before.
    if case .begun = phase, !machine.isStunned {
      guest.resume()
      block.passFirst(.entered, at: now())
    }
    if let wait = awaitEnd(within: limits.reap) { return .waits(wait) }
    return .outcome(.done)
  }

  /// Kills the destination where it is late by `timeout` nanoseconds; nil once it is seen gone, with what it has started.
  private func awaitEnd(within timeout: UInt64) -> Wait? {
    // It hears of its end by that.
    destination?.link = nil
    guard let process = destination?.process, !process.hasExited else { return awaitKilled() }
    switch phase {
    case .killed: return awaitKilled()
    case .until(let moment):
      if now() < moment { return .exit(of: process, until: moment) }
      process.kill()
      phase = .killed(until: now() &+ limits.reap)
      return awaitKilled()
    case .fresh, .begun, .paused, .prepared, .copying, .givingUp:
      let moment = now() &+ timeout
      phase = .until(moment)
      return .exit(of: process, until: moment)
    }
  }

  /// Until the destination is gone, or does not go; nil then. What was no VMM may have started others, which nobody
  /// would end.
  func awaitKilled() -> Wait? {
    guard let process = destination?.process else { return nil }
    destination?.link = nil
    switch phase {
    case .killed(let until), .givingUp(let until):
      if !process.hasExited, now() < until { return .exit(of: process, until: until) }
    case .fresh, .begun, .until, .paused, .prepared, .copying: break
    }
    process.reap()
    block.pass(.reaped, at: now())
    destination = nil
    return nil
  }

  func report() -> StepOutcome {
    block.announce()
    coordinator.tell(.refused(reason ?? Self.noReason))
    return .done
  }

  func keep() -> StepOutcome {
    guest.finished(block, because: reason)
    // Nobody watches a block without a name. Said last: whoever asks again at once is not turned away for this one.
    if !machine.isPublished { coordinator.tell(.refused(reason ?? Self.noReason)) }
    return .done
  }

  /// From here on this process only holds descriptors.
  func release() -> StepOutcome {
    guest.relinquish()
    block.release(.source)
    return .done
  }

  func park() -> Turn {
    if let wait = blocks.undecided(since: block, pollInterval: limits.pollInterval * 10, in: world) {
      return .waits(wait)
    }
    return .outcome(.done)
  }
}

extension SourceSession.Turn {
  static func waits(whileIn state: ResumeState, of block: ControlBlock, until: UInt64) -> Self {
    .waits(.word(state, of: block, until: until))
  }

  static func waits(for process: any PeerProcess, until: UInt64) -> Self {
    .waits(.exit(of: process, until: until))
  }
}

extension BlockDirectory {
  /// What is waited for before the newest block says who runs the guest; nil once it does. Whoever leaves before drops
  /// memory that somebody may still need.
  func undecided(since block: ControlBlock, pollInterval: UInt64, in world: any HandoffWorld) -> Wait? {
    let until = world.now() &+ pollInterval
    let state = block.state
    switch state {
    case .resumed, .destination: return nil
    case .successor:
      do {
        guard let found = try newest() else { return nil }
        return found.state.isDecided ? nil : .word(found.state, of: found, until: until)
      } catch { return Wait(until: until) }
    case .none, .destVerify, .source: return .word(state, of: block, until: until)
    }
  }
}
