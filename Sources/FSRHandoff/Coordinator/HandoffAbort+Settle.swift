internal import FSRSystem

/// What an abort does for a block that has no name yet, and after the word was moved.
extension HandoffAbort {
  /// The block that the holder of the lock has made and the source has not published yet.
  func draft(of holder: VMLock.Holder) throws(HandoffError) -> ControlBlock? {
    try blocks.drafts().first { draft in
      draft.identity(of: .coordinator) == holder.identity && draft.identity(of: .source) != nil
    }
  }

  /// Calls a handoff off before the source takes it up, which it then refuses, or undoes at once.
  mutating func withdraw(_ draft: ControlBlock) throws(HandoffError) -> End? {
    block = draft
    if draft.state != .source, !claim(draft) { return nil }
    let deadline = now() + limits.answer
    while blocks.isDraft(draft), now() < deadline, isHeld(by: draft.identity(of: .coordinator)) {
      pause(limits.pollInterval)
    }
    if let newest = try blocks.newest(), newest.attempt == draft.attempt, newest.draft == draft.draft {
      return try settle(draft)
    }
    // Nobody was stunned for a block that never had its name.
    awaitCoordinator(of: draft)
    return ended(draft)
  }

  // MARK: afterwards

  /// Waits until the source says that it runs, or somebody else does.
  mutating func settle(_ block: ControlBlock) throws(HandoffError) -> End {
    let source = PeerVMM(.source, of: block, in: world)
    let deadline = now() + limits.answer
    while true {
      // The process first, the flag after it.
      let isSourceGone = source?.isGone ?? true
      let isComplete = block.isComplete
      let state = block.state
      switch state {
      case .resumed where block.time(of: .entered) != 0:
        awaitCoordinator(of: block)
        return ended(block)
      case .source, .resumed:
        if isSourceGone, state == .resumed || !isComplete {
          reason = Reason("the process that owned it is gone", code: .lost)
          return .lost
        }
      case .successor:
        if let newest = try blocks.newest(), newest.attempt > block.attempt, newest.state.isDecided {
          self.block = newest
          reason = Reason("the source died after the handoff was called off, and a successor runs the guest")
          return .nothing
        }
      // No edge leads here from `source`: it is somebody's scribbling, and no word of the handoff's.
      case .none, .destVerify, .destination: break
      }
      if now() >= deadline {
        reason = Reason(
          block.isCorrupt
            ? "somebody has written over the word that says who may run it, in control block \(block.attempt)"
            : "the source was told to go on and does not")
        return .stunned
      }
      world.wait(while: state, of: block, timeout: limits.pollInterval)
    }
  }

  private mutating func ended(_ block: ControlBlock) -> End {
    reason = block.reason(of: .source) ?? block.reason(of: .coordinator) ?? Reason("it was called off")
    return .calledOff
  }

  /// Sees the coordinator done, so that the next handoff is not refused for it; the guest runs meanwhile.
  private func awaitCoordinator(of block: ControlBlock) {
    let deadline = now() + limits.reap * 2
    while now() < deadline, isHeld(by: block.identity(of: .coordinator)) { pause(limits.pollInterval) }
  }

  private func isHeld(by coordinator: ProcessIdentity?) -> Bool {
    guard let coordinator, case .held(by: let holder?) = try? world.lookAtLock(in: folder) else {
      return false
    }
    return holder.identity == coordinator
  }

}
