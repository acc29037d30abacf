internal import FSRSystem

/// The steps after the race: taking the guest back, or leaving it.
extension SourceSession {
  func claim(_ state: ResumeState) -> StepOutcome {
    // Who moved it there has said why.
    if state == .source, block.state != .source { giveReason(Reason("the handoff was called off")) }
    switch block.claim(state, by: .source) {
    case .made:
      if state == .resumed { block.pass(.decided, at: now()) }
      block.announce()
      // Its parked threads look at the word when they are woken.
      block.ring()
      return .done
    case .found(let other):
      // A word that somebody has written over stays where it is: looked at as by one that has parked, until it is put
      // right or the VM is to end.
      if block.isCorrupt {
        if !machine.isComplete { endListener() }
        world.sleep(limits.pollInterval * 10)
      }
      return .found(other)
    }
  }

  /// Before complete nobody but the destination could take for true what somebody has written over the word. With it gone
  /// the source puts that right.
  private func endListener() {
    child?.kill()
    if child?.hasExited != false { block.seeAlone() }
  }

  /// Waits until the destination can touch nothing any more; kills it when it does not say so in time.
  func fence() -> StepOutcome {
    // The process that was started, not the one that the block names: a peer may have written another there.
    guard let child else { return .done }
    let deadline = now() + limits.fence
    while true {
      if block.state != .source { return .found(block.state) }
      if block.hasReleased(.destination) || child.hasExited { return .done }
      if now() >= deadline {
        child.kill()
        return world.waitForExit(of: child, timeout: limits.reap) ? .done : .failed
      }
      world.wait(while: .source, of: block, timeout: limits.pollInterval)
    }
  }

  func takeBack() -> StepOutcome {
    if block.state != .source { return .found(block.state) }
    if guest.reacquireStorage() { return .done }
    world.wait(while: .source, of: block, timeout: limits.pollInterval)
    return .failed
  }

  func resume() -> StepOutcome {
    guest.resume()
    block.passFirst(.entered, at: now())
    return .done
  }

  /// Sees the destination gone, so that nothing of it is left when the handoff ends.
  func reap() -> StepOutcome {
    // A guest that never stopped, or whose writers were only quiesced, goes on as before.
    if !machine.isStunned {
      guest.resume()
      block.passFirst(.entered, at: now())
    }
    endDestination(after: limits.reap)
    return .done
  }

  /// Sees the process that was started gone, and what it has started; kills it after `timeout` nanoseconds.
  func endDestination(after timeout: UInt64 = 0) {
    channel = nil
    defer { self.child = nil }
    guard let child else { return }
    if !world.waitForExit(of: child, timeout: timeout) {
      child.kill()
      _ = world.waitForExit(of: child, timeout: limits.reap)
    }
    // What was no VMM may have started others, which nobody would end.
    child.reap()
    block.pass(.reaped, at: now())
  }

  /// Whether the guest is stopped and nobody may run it.
  var isStandingStill: Bool {
    switch machine.step {
    case .race, .claimSource, .fence, .takeBack, .claimResumed: machine.isStunned
    case .publishBlock, .startDestination, .negotiate, .sendManifest, .awaitPrepared, .precopy, .quiesce,
      .stun,
      .saveCheckpoint, .releaseStorage, .complete, .wake, .resume, .reap, .report, .keep, .release, .park,
      .leave:
      false
    }
  }

  func report() -> StepOutcome {
    block.announce()
    coordinator.tell(.refused(reason ?? Self.noReason))
    return .done
  }

  /// From here on this process only holds descriptors.
  func release() -> StepOutcome {
    guest.relinquish()
    block.release(.source)
    return .done
  }

  func park() -> StepOutcome {
    blocks.parkUntilDecided(after: block, pollInterval: limits.pollInterval * 10, in: world) { false }
    return .done
  }
}

extension BlockDirectory {
  /// Waits until the newest block says who runs the guest, or `isOver` says that nobody ever will. Whoever
  /// leaves before drops memory that somebody may still need.
  func parkUntilDecided(
    after block: ControlBlock, pollInterval: UInt64, in world: any HandoffWorld, or isOver: () -> Bool
  ) {
    while !isOver() {
      let state = block.state
      switch state {
      case .resumed, .destination: return
      case .successor:
        do {
          guard let found = try newest() else { return }
          if found.state.isDecided { return }
          world.wait(while: found.state, of: found, timeout: pollInterval)
        } catch { world.sleep(pollInterval) }
      case .none, .destVerify, .source: world.wait(while: state, of: block, timeout: pollInterval)
      }
    }
  }
}
