package import FSRHandoff

/// Giving the guest away: `precopy`, `quiesce`, then in the stun `drain`, `freeze`, what `GuestState` saves, and `release`.
/// Whatever of that was done or has failed, `reacquire`, `letTouch`, and once the guest runs again `goOn`, undo it.
///
/// `copying` are the parts that the handoff's plan has copied.
extension GuestParts {
  /// The parts that a handoff by `plan` copies; an array made ahead of the stun.
  package func copied(by plan: HandoffPlan) -> [any CopyingPart] { copying.filter { $0.isCopied(by: plan) } }

  /// Begins to copy, and goes on with it: as far as the part that is least far, with the bytes of all.
  package func precopy(_ copying: [any CopyingPart]) throws -> Precopy {
    let stages = Precopy.Stage.allCases
    var least = stages.count - 1
    var (copied, total): (UInt64, UInt64) = (0, 0)
    for part in copying {
      let progress = try part.precopy()
      least = min(least, stages.firstIndex(of: progress.stage) ?? 0)
      copied += progress.copied
      total += progress.total
    }
    return Precopy(stages[least], copied: copied, total: total)
  }

  /// Sees that little is left for the stun: first what may take long and fail, last what the guest might miss.
  package func quiesce(_ copying: [any CopyingPart], copiedBy deadline: () -> UInt64) throws {
    for part in answering { try part.quiesce() }
    for part in copying { try part.settleCopy(deadline: deadline()) }
    for part in running { part.rest() }
  }

  /// Sees that no part touches the guest's memory any more.
  package func drain() throws { for part in draining { try part.drain() } }

  /// Brings to rest what answers touches of memory, and ends the copying. The vCPUs stand.
  package func freeze(_ copying: [any CopyingPart]) throws {
    for part in answering { try part.freeze() }
    for part in copying { try part.finishCopy() }
  }

  package func release() { for part in storage { part.release() } }

  // MARK: undoing it

  /// Takes back what `release` gave, the last first; false while some of that is somebody else's, and it is asked again.
  package func reacquire() -> Bool {
    for part in storage.reversed() where !part.reacquire() { return false }
    return true
  }

  /// Answers touches of memory again, with nothing copied: for before the vCPUs run.
  package func letTouch() {
    for part in copying.reversed() { part.cancelCopy() }
    for part in answering.reversed() { part.thaw() }
  }

  /// Lets parts work again that rest; the guest runs.
  package func goOn() {
    // A guest without one of them is better than none.
    for part in running.reversed() { try? part.start() }
  }
}
