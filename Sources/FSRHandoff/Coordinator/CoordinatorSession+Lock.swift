internal import FSRState
internal import FSRSystem

/// Becoming the one coordinator.
extension CoordinatorSession {
  mutating func takeLock() throws -> Turn {
    let deadline: UInt64
    switch phase {
    case .evicting(let process, let until, let end):
      if !process.hasExited, now() < until {
        var wait = Wait(until: until)
        wait.processes = [process]
        return .waits(wait)
      }
      deadline = end
    case .until(let end): deadline = end
    default: deadline = now() + options.timeout
    }
    phase = .until(deadline)
    switch try attemptLock() {
    case .taken(let lock):
      holdings.lock = Owned(lock)
      return .event(.done)
    case .held(let holder):
      if machine.purpose == .handoff {
        return obstruct(
          .busy,
          "another handoff, check or recovery of \(name) is under way"
            + (holder.map { " (process \($0.identity.pid))" } ?? ""))
      }
      if let process = try evicted(holder) {
        let until = now() + limits.reap
        phase = .evicting(process, until: until, lockBy: deadline)
        var wait = Wait(until: until)
        wait.processes = [process]
        return .waits(wait)
      }
    }
    guard now() < deadline else {
      return obstruct(
        .busy, "another coordinator of \(name) is at work and does not end", remedy: "wait for it")
    }
    return pause(limits.pollInterval * 25)
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

  /// From a coordinator that hangs, a recovery takes the descriptors first, then its life. Answers who was killed; nil
  /// where nobody was.
  private mutating func evicted(_ holder: VMLock.Holder?) throws -> (any PeerProcess)? {
    guard let holder, now() > holder.heartbeat &+ limits.settle else { return nil }
    let pid = holder.identity.pid
    guard world.sees(holder.namespace) else {
      throw HandoffError.refused(
        Reason(
          "process \(pid), which coordinates \(name), is of another PID namespace and does not go on",
          remedy: "run this in that one, where it can be ended", code: .rights))
    }
    guard let process = try world.open([holder.identity]) else { return nil }
    try EndingRight.check(process, in: folder, of: name)
    if holdings.copies == nil, let newest = try newestBlock(),
      newest.identity(of: .coordinator) == holder.identity
    {
      try takeCopies(of: .coordinator, in: newest)
      // Nobody else may have them: they would end with it.
      guard
        holdings.copies != nil || newest.state.isTerminal || newest.heldDescriptors(of: .coordinator).isEmpty
      else {
        throw HandoffError.refused(
          Reason(
            "process \(pid), which coordinates \(name), does not go on, and what it holds of the guest cannot be copied",
            remedy: "run this as its user or as root", code: .rights))
      }
    }
    process.kill()
    return process
  }
}
