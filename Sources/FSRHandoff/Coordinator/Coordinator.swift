/// Everything a coordinator does.
public enum CoordinatorStep: String, CaseIterable, Hashable, Sendable {
  /// Takes the VM's lock: one coordinator at a time.
  case lock
  /// Sees that the newest block is decided, its owner alive and its losers gone.
  case settle
  /// Makes the attempt's control block, without a name yet.
  case createBlock
  /// Asks the source for the handoff.
  case request
  /// Takes copies of the guest's descriptors.
  case takeCopies
  /// Tells the source that it has them.
  case acknowledge
  /// Comes late: opens the newest block and takes pidfds and descriptors of whoever lives.
  case gather
  /// Looks at processes, flags and word until something is to be done.
  case watch
  /// Moves the word to `source`.
  case revoke
  /// Moves the word to `successor`.
  case succeed
  /// Starts a successor in a block of its own.
  case startSuccessor
  /// Sees the losers gone where the victor cannot.
  case reapLosers = "bury"
  /// Says how it ended.
  case finish
}

/// How a handoff, or its recovery, ended.
public enum HandoffEnd: Hashable, Sendable {
  /// Nothing was begun: the reason is the session's.
  case refused
  /// The destination (or a successor) runs.
  case destination
  /// The source runs.
  case source
  /// Nobody runs, and nothing is lost: somebody has to act.
  case stunned
  /// The guest is gone.
  case lost
}

/// The third party, without any deed: outcomes and observations in, the next step out.
///
/// It decides nothing that the word has decided already, and kills no VMM before the word is terminal.
public struct Coordinator: Hashable, Sendable {
  /// Why it runs.
  public enum Purpose: Hashable, Sendable {
    case handoff
    /// It comes late, for an attempt that somebody else began.
    case recovery
  }

  public enum Event: Hashable, Sendable {
    case done
    case failed
    /// What a look showed.
    case saw(Observation)
    /// A claim found the word elsewhere.
    case found(ResumeState)
  }

  /// How many successors are tried before the guest is left stunned for a person.
  public static let successorLimit = 2

  public let purpose: Purpose
  public private(set) var step: CoordinatorStep = .lock
  /// How it ended, once `step` is `finish`.
  public private(set) var end: HandoffEnd = .refused
  /// Successors started by this coordinator.
  public private(set) var successors = 0

  public init(_ purpose: Purpose) { self.purpose = purpose }

  /// Takes what came of the current step and answers the next one.
  public mutating func next(after event: Event) -> CoordinatorStep {
    step = following(event)
    return step
  }

  private mutating func following(_ event: Event) -> CoordinatorStep {
    switch (step, event) {
    case (.lock, .done): return purpose == .handoff ? .settle : .gather
    case (.settle, .done): return .createBlock
    case (.createBlock, .done): return .request
    case (.request, .done): return .takeCopies
    case (.takeCopies, .done): return .acknowledge
    case (.lock, .failed), (.settle, .failed), (.createBlock, .failed), (.request, .failed),
      (.gather, .failed):
      return ended(.refused)
    // A source that died meanwhile has taken the guest with it.
    case (.request, .saw(let seen)): return seen.source == .gone ? buried(.lost) : ended(.refused)
    // Somebody called it off before the source took it up.
    case (.request, .found(.source)): return ended(.source)
    // Without its copies the source does not stun; it may be dead, or say why soon: a look tells.
    case (.takeCopies, .failed), (.acknowledge, .done), (.acknowledge, .failed), (.gather, .done):
      return .watch
    case (.watch, .saw(let seen)): return decide(seen)
    // Left to those who bring it to its end by themselves.
    case (.watch, .failed) where purpose == .recovery: return ended(.refused)
    // Whatever came of a claim, the next look shows it.
    case (.revoke, .done), (.revoke, .failed), (.revoke, .found), (.succeed, .failed), (.succeed, .found):
      return .watch
    case (.succeed, .done): return .startSuccessor
    case (.startSuccessor, .done):
      successors += 1
      return .watch
    // Counted as one that failed: another look, and another try, up to the limit.
    case (.startSuccessor, .failed):
      successors += 1
      return .watch
    case (.reapLosers, .done): return .finish
    // The victor died meanwhile: an ordinary crash of a VMM, and said as that.
    case (.reapLosers, .failed): return ended(.lost)
    case (.lock, .saw), (.lock, .found), (.settle, .saw), (.settle, .found), (.createBlock, .saw),
      (.createBlock, .found), (.request, .found), (.takeCopies, .saw),
      (.takeCopies, .found),
      (.acknowledge, .saw), (.acknowledge, .found), (.gather, .saw), (.gather, .found), (.watch, .done),
      (.watch, .failed), (.watch, .found), (.revoke, .saw), (.succeed, .saw), (.startSuccessor, .saw),
      (.startSuccessor, .found), (.reapLosers, .saw), (.reapLosers, .found), (.finish, _):
      preconditionFailure("\(step) does not end in \(event)")
    }
  }

  private mutating func ended(_ end: HandoffEnd) -> CoordinatorStep {
    self.end = end
    return .finish
  }

  private mutating func buried(_ end: HandoffEnd) -> CoordinatorStep {
    self.end = end
    return .reapLosers
  }

  private mutating func decide(_ seen: Observation) -> CoordinatorStep {
    if seen.isCorrupt, !seen.word.isDecided { return corrupt(seen) }
    switch seen.word {
    case .none: return seen.isComplete ? beforeVerify(seen) : beforeComplete(seen)
    case .destVerify: return inVerify(seen)
    case .source: return inSource(seen)
    case .resumed: return inResumed(seen)
    case .destination: return inDestination(seen)
    // Somebody claimed it and its block was never made, or this is the look after a claim.
    case .successor:
      return seen.holdsCopies && successors < Self.successorLimit ? .startSuccessor : givingUp(seen)
    }
  }

  /// Nobody can claim anything. Before complete the source puts the word right, and goes on; after it nobody can tell who
  /// may run the guest, which then stands still until somebody ends the VM.
  private mutating func corrupt(_ seen: Observation) -> CoordinatorStep {
    switch (seen.source, seen.isComplete) {
    case (.gone, false): return buried(.lost)
    case (.gone, true) where seen.destination == .gone: return buried(.lost)
    case (.alive, false): return .watch
    case (.hung, _), (.alive, true), (.gone, true): return seen.isToStop ? ended(.stunned) : .watch
    }
  }

  /// The vCPU state exists in the source alone.
  private mutating func beforeComplete(_ seen: Observation) -> CoordinatorStep {
    switch seen.source {
    case .gone: return buried(.lost)
    case .alive, .hung: return seen.isToStop || !seen.destination.canAct ? .revoke : .watch
    }
  }

  private mutating func beforeVerify(_ seen: Observation) -> CoordinatorStep {
    switch seen.source {
    case .alive: return seen.isToStop || !seen.destinationCanWin ? .revoke : .watch
    case .hung, .gone: return seen.destinationCanWin ? .watch : succeeding(seen)
    }
  }

  /// A destination that verifies while the source is dead is not revoked by a mere deadline.
  private mutating func inVerify(_ seen: Observation) -> CoordinatorStep {
    switch seen.source {
    case .alive: return seen.isToStop || !seen.destinationCanWin ? .revoke : .watch
    case .hung, .gone: return seen.destinationCanWin ? .watch : succeeding(seen)
    }
  }

  private mutating func inSource(_ seen: Observation) -> CoordinatorStep {
    switch (seen.source, seen.isComplete) {
    case (.alive, _): return .watch
    case (.gone, false): return buried(.lost)
    case (.hung, false): return seen.isToStop ? ended(.stunned) : .watch
    case (.hung, true), (.gone, true): return succeeding(seen)
    }
  }

  private mutating func succeeding(_ seen: Observation) -> CoordinatorStep {
    seen.holdsCopies && successors < Self.successorLimit ? .succeed : givingUp(seen)
  }

  /// Where nobody can be started: another VMM that still has the guest's memory may yet be made to give it. What
  /// this coordinator has ends with it.
  private mutating func givingUp(_ seen: Observation) -> CoordinatorStep {
    ended(seen.source != .gone || seen.destination != .gone ? .stunned : .lost)
  }

  private mutating func inResumed(_ seen: Observation) -> CoordinatorStep {
    switch seen.source {
    case .alive: return seen.hasEntered ? buried(.source) : .watch
    case .hung: return seen.hasEntered ? buried(.source) : seen.isToStop ? ended(.stunned) : .watch
    case .gone: return buried(.lost)
    }
  }

  private mutating func inDestination(_ seen: Observation) -> CoordinatorStep {
    switch seen.destination {
    case .alive: return seen.hasEntered ? buried(.destination) : .watch
    case .hung: return seen.hasEntered ? buried(.destination) : seen.isToStop ? ended(.stunned) : .watch
    case .gone: return buried(.lost)
    }
  }
}
