internal import FSRState
internal import FSRSystem

/// Watching what becomes of it, also of what somebody else began.
extension CoordinatorSession {
  /// Looks once.
  mutating func watch() -> Coordinator.Event {
    let seen = look()
    if patience.unattended.isGoingOn, isCancelled() {
      verdict.reason = Reason(
        "a handoff of \(name) is under way by itself", remedy: "`fsr abort \(name)` calls it off",
        code: .busy)
      return .failed
    }
    return .saw(seen)
  }

  /// Nothing is to be done before something changes.
  mutating func pauseWatch() -> State {
    beat()
    var wait = Wait(until: now() &+ limits.pollInterval)
    if let block { wait.word = (block, block.state) }
    return .waits(wait)
  }

  /// One look: the processes, then the flags, then the word.
  mutating func look() -> Observation {
    guard let block else { preconditionFailure("there is a block to watch") }
    peers.find(of: block, in: world)
    let hasSourceExited = peers.source?.isGone ?? true
    // One that has said its last word about a handoff that it won has ended in order: the process first, since it says
    // that before it leaves. Whoever comes late wants to know who runs the guest now.
    let hasReported = machine.purpose == .handoff && block.state == .resumed && block.time(of: .reported) != 0
    let isSourceGone = hasSourceExited && !hasReported
    let wasStarted = peers.destination != nil
    let isDestinationGone = peers.destination?.isGone ?? isSuccessorBlock
    let isComplete = block.isComplete || isSuccessorBlock
    let word = block.state
    let isCorrupt = block.isCorrupt
    let hasEntered = block.time(of: .entered) != 0
    let isStale = hasStoodStill(block, word, isComplete, hasEntered)
    // One whose coordinator died while it was prepared.
    let isUnattended =
      machine.purpose == .recovery && !isSourceGone && !isDestinationGone && !isComplete && word == .none
    patience.unattended.note(isUnattended ? progress(of: block) : nil, at: now(), timeout: limits.settle)
    // Whoever interrupts a recovery does not call off what it waits for.
    let isToStop =
      isCancelled() && !patience.unattended.isGoingOn || isLate(block)
      || patience.unattended.isToGiveUp(at: now())
    // Before complete a party is only late when the whole handoff is.
    let isLate = isStale && (isComplete || isToStop || word.isTerminal)
    return Observation(
      source: isSourceGone ? .gone : isLate ? .hung : .alive,
      destination: isDestinationGone ? .gone : isLate && wasStarted ? .hung : .alive,
      destinationReleased: block.hasReleased(.destination), isComplete: isComplete, word: word,
      isCorrupt: isCorrupt, hasEntered: hasEntered, holdsCopies: holdings.copies != nil, isToStop: isToStop
    )
  }

  /// How far a handoff is that goes on by itself.
  private func progress(of block: ControlBlock) -> [UInt64] {
    let parties: [UInt64] = [Party.source, .destination].map { block.progress(of: $0)?.done ?? 0 }
    return parties + [block.copiedBytes, block.heartbeat(of: .source)]
      + TimelineMark.allCases.map { block.time(of: $0) }
  }

  /// A successor's block has no source, and its checkpoint is complete from the start.
  private var isSuccessorBlock: Bool { block?.identity(of: .source) == nil }

  private mutating func hasStoodStill(
    _ block: ControlBlock, _ word: ResumeState, _ isComplete: Bool, _ hasEntered: Bool
  ) -> Bool {
    patience.stall.note(
      StallDetector.Sight(
        attempt: block.attempt, word: word, isComplete: isComplete, hasEntered: hasEntered,
        sourceReleased: block.hasReleased(.source), destinationReleased: block.hasReleased(.destination),
        preparedAt: block.time(of: .prepared)), at: now())
    // A successor maps all of memory before it does anything else.
    let isPreparing = isSuccessorBlock && block.time(of: .prepared) == 0
    return patience.stall.hasStoodStill(for: isPreparing ? limits.answer : limits.settle, at: now())
  }

  /// Comes late: opens the newest block, and takes pidfds and descriptors of whoever lives.
  mutating func gather() throws -> Turn {
    guard let newest = try newestBlock() else {
      return neverStarted()
    }
    block = newest
    // The parties may be about to settle it themselves.
    patience.unattended.begin(at: now(), timeout: limits.settle)
    if holdings.copies == nil {
      for attempt in try blocks.attempts().reversed() where holdings.copies == nil {
        guard let other = try blocks.open(attempt) else { continue }
        for party in Party.allCases where holdings.copies == nil { try takeCopies(of: party, in: other) }
      }
    }
    // Whoever comes after this recovery finds its copies where it looks for a coordinator's.
    if let copies = holdings.copies, !newest.state.isTerminal {
      newest.enroll(.coordinator, as: world.me, in: world.namespace)
      newest.holdDescriptors(.coordinator, numbers: copies.value.numbers)
    }
    return .event(.done)
  }

  /// Copies the guest's descriptors out of a process that holds them; nothing happens where that is gone, or does not
  /// let this one.
  ///
  /// - Throws: `SystemError` where this process has no room for them.
  mutating func takeCopies(of party: Party, in other: ControlBlock) throws {
    let numbers = other.heldDescriptors(of: party)
    guard !numbers.isEmpty, world.sees(other.namespace(of: party)), let identity = other.identity(of: party),
      let process = try world.open([identity])
    else { return }
    var bag = DescriptorBag()
    for number in numbers {
      do throws(SystemError) { bag.append(try process.copyDescriptor(number)) } catch {
        if error.isOwnShortage { throw error }
        return
      }
    }
    if let whole = try? HeldDescriptors(bag) { holdings.copies = Owned(whole) }
  }
}
