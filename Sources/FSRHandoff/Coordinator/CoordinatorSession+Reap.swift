internal import FSRState
internal import FSRSystem

/// Seeing that nothing of the losers is left.
extension CoordinatorSession {
  /// Sees the losers gone, which is the victor's part unless it is dead itself, and waits for the victor's
  /// last word. Fails where the victor has died meanwhile.
  mutating func reapLosers() -> Turn {
    guard let block else { return .event(.done) }
    let deadline: UInt64
    if case .until(let begun) = phase { deadline = begun } else { deadline = now() + limits.reap * 2 }
    phase = .until(deadline)
    let victor: Party? = block.state == .resumed ? .source : block.state == .destination ? .destination : nil
    let victorIdentity = victor.flatMap { block.identity(of: $0) }
    let isVictorGone = victor.map { PeerVMM($0, of: block, in: world)?.isGone ?? true } ?? false
    let hasReported = block.time(of: .reported) != 0
    var living: PeerVMM?
    let attempts = openBlocks()
    // Who has no room for a look has seen nobody's end; but a victor says its last word behind that of its losers.
    var isLoserLeft = attempts == nil && !hasReported
    for other in attempts ?? [] {
      // The victor stands in older blocks too, under the part that it had there.
      for party in [Party.source, .destination] where other.identity(of: party) != victorIdentity {
        guard let rival = PeerVMM(party, of: other, in: world), !rival.isGone else { continue }
        isLoserLeft = true
        living = rival
        if isVictorGone, now() >= deadline { rival.kill() }
      }
    }
    let isTold = victor == nil || isVictorGone || hasReported
    if !isLoserLeft && isTold || now() >= deadline + limits.reap {
      // Older blocks lead to losers; with all of them gone the newest says everything.
      if !isLoserLeft, attempts != nil, block.state.isDecided {
        try? blocks.removeOlder(than: block.attempt)
      }
      let hasLeftInOrder = hasReported && machine.purpose == .handoff
      return .event(isVictorGone && !hasLeftInOrder && machine.end != .lost ? .failed : .done)
    }
    // Looking costs: it opens files and processes, while the guest wants its processors.
    guard let process = living?.process else { return pause(limits.pollInterval) }
    var wait = Wait(until: now() + limits.pollInterval * 5)
    wait.processes = [process]
    return .waits(wait)
  }

  /// Every block that is one; nil where this process has no room for a look.
  private func openBlocks() -> [ControlBlock]? {
    guard let attempts = try? blocks.attempts() else { return nil }
    var found: [ControlBlock] = []
    for attempt in attempts {
      do throws(HandoffError) {
        if let block = try blocks.open(attempt) { found.append(block) }
      } catch {
        if case .system = error { return nil }
      }
    }
    return found
  }
}
