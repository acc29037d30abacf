internal import FSRSystem

/// What an abort does for a block that has no name yet, and after the word was moved.
extension HandoffAbort {
  /// The block that the holder of the lock has made and the source has not published yet.
  func draft(of holder: VMLock.Holder) throws(HandoffError) -> ControlBlock? {
    try blocks.drafts().first { draft in
      draft.identity(of: .coordinator) == holder.identity && draft.identity(of: .source) != nil
    }
  }

  /// Calls a handoff off before the source takes it up, which it then refuses, or undoes at once; nil where somebody else
  /// moved the word.
  mutating func withdraw(_ draft: ControlBlock) throws(HandoffError) -> State? {
    block = draft
    if draft.state != .source, !claim(draft) { return nil }
    let until = now() + limits.answer
    phase = .withdrawing(draft, until: until)
    return try withdrawn(draft, until: until)
  }

  mutating func withdrawn(_ draft: ControlBlock, until: UInt64) throws(HandoffError) -> State {
    if blocks.isDraft(draft), now() < until, isHeld(by: draft.identity(of: .coordinator)) { return pause() }
    if let newest = try blocks.newest(), newest.attempt == draft.attempt, newest.draft == draft.draft {
      return try settle(draft)
    }
    // Nobody was stunned for a block that never had its name.
    return leave(draft)
  }

  // MARK: afterwards

  /// Waits until the source says that it runs, or somebody else does.
  mutating func settle(_ block: ControlBlock) throws(HandoffError) -> State {
    let source = PeerVMM(.source, of: block, in: world)
    let until = now() + limits.answer
    phase = .settling(block, source, until: until)
    return try settled(block, source, until: until)
  }

  mutating func settled(_ block: ControlBlock, _ source: PeerVMM?, until: UInt64) throws(HandoffError)
    -> State
  {
    // The process first, the flag after it.
    let isSourceGone = source?.isGone ?? true
    let isComplete = block.isComplete
    let state = block.state
    switch state {
    case .resumed where block.time(of: .entered) != 0: return leave(block)
    case .source, .resumed:
      if isSourceGone, state == .resumed || !isComplete {
        reason = Reason("the process that owned it is gone", code: .lost)
        return .ended(.lost)
      }
    case .successor:
      if let newest = try blocks.newest(), newest.attempt > block.attempt, newest.state.isDecided {
        self.block = newest
        reason = Reason("the source died after the handoff was called off, and a successor runs the guest")
        return .ended(.nothing)
      }
    // No edge leads here from `source`: it is somebody's scribbling, and no word of the handoff's.
    case .none, .destVerify, .destination: break
    }
    if now() >= until {
      reason = Reason(
        block.isCorrupt
          ? "somebody has written over the word that says who may run it, in control block \(block.attempt)"
          : "the source was told to go on and does not")
      return .ended(.stunned)
    }
    var wait = Wait(until: now() &+ limits.pollInterval)
    wait.word = (block, state)
    return .waits(wait)
  }

  /// Sees the coordinator done, so that the next handoff is not refused for it; the guest runs meanwhile.
  private mutating func leave(_ block: ControlBlock) -> State {
    let until = now() + limits.reap * 2
    phase = .leaving(block, until: until)
    return left(block, until: until)
  }

  mutating func left(_ block: ControlBlock, until: UInt64) -> State {
    if now() < until, isHeld(by: block.identity(of: .coordinator)) { return pause() }
    reason = block.reason(of: .source) ?? block.reason(of: .coordinator) ?? Reason("it was called off")
    return .ended(.calledOff)
  }

  private func isHeld(by coordinator: ProcessIdentity?) -> Bool {
    guard let coordinator, case .held(by: let holder?) = try? world.lookAtLock(in: folder) else {
      return false
    }
    return holder.identity == coordinator
  }
}
