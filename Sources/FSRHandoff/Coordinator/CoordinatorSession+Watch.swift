internal import FSRState
internal import FSRSystem

/// Watching, settling, and the end.
extension CoordinatorSession {
  /// Looks again and again until something is to be done, and answers with that look.
  mutating func watch() -> Coordinator.Event {
    while true {
      let seen = look()
      if isGoingOn, isCancelled() {
        reason = Reason(
          "a handoff of \(name) is under way by itself", remedy: "`fsr abort \(name)` calls it off",
          code: .busy)
        return .failed
      }
      var probe = machine
      if probe.next(after: .saw(seen)) != .watch { return .saw(seen) }
      guard let block else { return .saw(seen) }
      beat()
      block.wait(while: block.state, timeout: limits.pollInterval)
    }
  }

  /// One look: the processes, then the flags, then the word.
  mutating func look() -> Observation {
    guard let block else { preconditionFailure("there is a block to watch") }
    if source == nil { source = PeerVMM(.source, of: block) }
    if destination == nil { destination = PeerVMM(.destination, of: block) }
    let hasSourceExited = source?.isGone ?? true
    // One that has said its last word about a handoff that it won has ended in order: the process first, since it says
    // that before it leaves. Whoever comes late wants to know who runs the guest now.
    let hasReported = machine.purpose == .handoff && block.state == .resumed && block.time(of: .reported) != 0
    let isSourceGone = hasSourceExited && !hasReported
    let wasStarted = destination != nil
    let isDestinationGone = destination?.isGone ?? isSuccessorBlock
    let isComplete = block.isComplete || isSuccessorBlock
    let word = block.state
    let isCorrupt = block.isCorrupt
    let hasEntered = block.time(of: .entered) != 0
    let isStale = hasStoodStill(word, isComplete, hasEntered)
    noteProgress(block, isPossible: !isSourceGone && !isDestinationGone && !isComplete && word == .none)
    // Whoever interrupts a recovery does not call off what it waits for.
    let isToStop = isCancelled() && !isGoingOn || isLate(block) || now() >= giveUpAt
    // Before complete a party is only late when the whole handoff is.
    let isLate = isStale && (isComplete || isToStop || word.isTerminal)
    return Observation(
      source: isSourceGone ? .gone : isLate ? .hung : .alive,
      destination: isDestinationGone ? .gone : isLate && wasStarted ? .hung : .alive,
      destinationReleased: block.hasReleased(.destination), isComplete: isComplete, word: word,
      isCorrupt: isCorrupt, hasEntered: hasEntered, holdsCopies: copies != nil, isToStop: isToStop
    )
  }

  /// A handoff whose coordinator died while it was prepared goes on by itself, for hours where much is copied: a
  /// recovery gives it up once nothing has moved for long, and else when its own deadline has passed.
  private mutating func noteProgress(_ block: ControlBlock, isPossible: Bool) {
    guard machine.purpose == .recovery, isPossible else {
      isGoingOn = false
      return
    }
    let parties: [UInt64] = [Party.source, .destination].map { block.progress(of: $0)?.done ?? 0 }
    let progress =
      parties + [block.copiedBytes, block.heartbeat(of: .source)]
      + TimelineMark.allCases.map { block.time(of: $0) }
    if progress != lastProgress {
      // The first look has nothing to compare with: for so long nobody knows.
      if !lastProgress.isEmpty { giveUpAt = now() + limits.settle }
      isGoingOn = true
      lastProgress = progress
    } else if now() >= giveUpAt {
      isGoingOn = false
    }
  }

  /// A successor's block has no source, and its checkpoint is complete from the start.
  private var isSuccessorBlock: Bool { block?.identity(of: .source) == nil }

  private mutating func hasStoodStill(_ word: ResumeState, _ isComplete: Bool, _ hasEntered: Bool) -> Bool {
    let seen: [UInt64] = [
      UInt64(block?.attempt ?? 0), UInt64(word.rawValue), isComplete ? 1 : 0, hasEntered ? 1 : 0,
      block?.hasReleased(.source) == true ? 1 : 0, block?.hasReleased(.destination) == true ? 1 : 0,
      block?.time(of: .prepared) ?? 0,
    ]
    if seen != lastSeen {
      lastSeen = seen
      lastChange = now()
    }
    // A successor maps all of memory before it does anything else.
    let isPreparing = isSuccessorBlock && block?.time(of: .prepared) == 0
    return now() > lastChange &+ (isPreparing ? limits.answer : limits.settle)
  }

  /// Comes late: opens the newest block, and takes pidfds and descriptors of whoever lives.
  mutating func gather() throws -> Bool {
    guard let newest = try newestBlock() else {
      return neverStarted()
    }
    block = newest
    lastChange = now()
    // The parties may be about to settle it themselves.
    giveUpAt = now() + limits.settle
    if copies == nil {
      for attempt in try blocks.attempts().reversed() where copies == nil {
        guard let other = try blocks.open(attempt) else { continue }
        for party in Party.allCases where copies == nil { try takeCopies(of: party, in: other) }
      }
    }
    // Whoever comes after this recovery finds its copies where it looks for a coordinator's.
    if let copies, !newest.state.isTerminal {
      newest.enroll(.coordinator, as: ProcessIdentity.current())
      newest.holdDescriptors(.coordinator, numbers: copies.value.numbers)
    }
    return true
  }

  /// Copies the guest's descriptors out of a process that holds them; nothing happens where that is gone, or does not
  /// let this one.
  ///
  /// - Throws: `SystemError` where this process has no room for them.
  mutating func takeCopies(of party: Party, in other: ControlBlock) throws {
    let numbers = other.heldDescriptors(of: party)
    guard !numbers.isEmpty, other.namespace(of: party).isOwn, let identity = other.identity(of: party),
      let process = try ProcessDescriptor.open(identity)
    else { return }
    var bag = DescriptorBag()
    for number in numbers {
      do throws(SystemError) { bag.append(try process.copyDescriptor(number)) } catch {
        if error.isOwnShortage { throw error }
        return
      }
    }
    if let whole = try? HeldDescriptors(bag) { copies = Owned(whole) }
  }

  // MARK: a successor

  /// Makes the next attempt's block and starts a VMM of the source's build from the complete checkpoint.
  mutating func startSuccessor() throws -> Coordinator.Event {
    guard let old = block, let copies else {
      throw HandoffError.badBlock("there are no copies to start from")
    }
    guard old.attempt < .max else { throw HandoffError.badBlock("there is no attempt after \(old.attempt)") }
    let fresh = try blocks.create(
      attempt: old.attempt + 1, generation: old.generation, machine: old.machine, state: .destVerify)
    let extent = old.checkpointExtent
    fresh.enroll(.coordinator, as: ProcessIdentity.current())
    fresh.holdDescriptors(.coordinator, numbers: copies.value.numbers)
    fresh.maxDowntime = limits.settle
    fresh.deadline = now() + limits.answer
    fresh.beat(.coordinator, at: now())
    fresh.complete(length: extent.length, checksum: extent.checksum)
    for mark in [TimelineMark.requested, .stunned, .left, .saved, .completed] {
      fresh.pass(mark, at: old.time(of: mark))
    }
    fresh.copyAudit(from: old)
    try blocks.publish(fresh)
    block = fresh
    source = nil
    destination = nil
    giveUpAt = .max
    try introduce(fresh, copies)
    return .done
  }

  /// Plays the source's part in the set-up of a successor.
  private mutating func introduce(_ fresh: ControlBlock, _ copies: Owned<HeldDescriptors>) throws {
    let pair = try UnixSocket.pair()
    let ours = try HandoffLink(pair.a)
    let theirs = pair.b
    let manifest = copies.value.manifest
    // Nothing of this process's own input and output goes to a VMM that outlives it.
    let null = try OwnedDescriptor.open("/dev/null", .read)
    // What the log cannot take is said to nobody: no successor is started for the sake of its log.
    let log = try (try? folder.openFile(VMFiles.log, .append)) ?? OwnedDescriptor.open("/dev/null", .append)
    let started = try ChildProcess.spawn(
      executable: manifest.executable, arguments: manifest.arguments,
      environmentBytes: Environment.bytes + [DestinationStart.entry],
      inheriting: [
        ChildProcess.Inheritance(null.number, as: 0), ChildProcess.Inheritance(log.number, as: 1),
        ChildProcess.Inheritance(log.number, as: 2),
        ChildProcess.Inheritance(theirs.descriptor.number, as: DestinationStart.number),
      ], newSession: true, program: copies.value.program)
    if let identity = try ProcessIdentity.of(pid: started.pid) { fresh.enroll(.destination, as: identity) }
    var introduction = DescriptorBag()
    introduction.append(try fresh.descriptor.duplicate())
    introduction.append(try blocks.directory.descriptor.duplicate())
    try ours.send(.hello(Hello(isSuccessor: true, sections: [], build: "")), descriptors: introduction)
    try ours.send(.manifest, descriptors: try copies.value.duplicate())
    channel = Owned(ours)
  }

  // MARK: the end

  /// Who died, of those without whom nobody can go on. What somebody said before of the one may not be all.
  func whyLost() -> Reason {
    let owner = Reason("the process that owned it is gone", code: .lost)
    guard let block, !block.state.isDecided, block.identity(of: .source) != nil else { return owner }
    // The process first: one that leaves has said before that it releases everything, and one that was killed has not.
    if PeerVMM(.destination, of: block)?.isGone == true, !block.hasReleased(.destination) {
      return Reason("source and destination died", code: .lost)
    }
    return block.isComplete
      ? owner : Reason("the source died before the destination had the guest's state", code: .lost)
  }

  /// Why nobody runs the guest, where no party has said it: as of the last look.
  func whyStunned() -> Reason {
    guard let block else { return Reason("the handoff was not begun") }
    if block.isCorrupt {
      let holders = [Party.source, .destination].filter { PeerVMM($0, of: block)?.isGone == false }.map {
        "process \(block.identity(of: $0)?.pid ?? 0) (the \($0))"
      }
      let held = holders.isEmpty ? "nobody" : holders.joined(separator: " and ")
      return Reason(
        "somebody has written over the word that says who may run it, in control block \(block.attempt), and \(held) "
          + "still \(holders.count > 1 ? "have" : "has") the guest, and may not run it")
    }
    return Reason(whatStands(in: block))
  }

  private func whatStands(in block: ControlBlock) -> String {
    switch block.state {
    case .resumed: return "the source has the guest back and does not let it run"
    case .destination: return "the destination has won and does not let the guest run"
    case .source: return "the source was told to go on and does not"
    case .successor:
      return copies == nil
        ? "the source is dead or hung, and nobody has its descriptors for a successor"
        : "\(Coordinator.successorLimit) successors did not get to run the guest"
    case .none, .destVerify:
      return copies == nil
        ? "source and destination do not go on, and nobody has the guest's descriptors for a successor"
        : "source and destination do not go on, and \(machine.successors) successors did not either"
    }
  }

  /// Sees the losers gone, which is the victor's part unless it is dead itself, and waits for the victor's
  /// last word. Fails where the victor has died meanwhile.
  mutating func reapLosers() -> Coordinator.Event {
    guard let block else { return .done }
    let victor: Party? = block.state == .resumed ? .source : block.state == .destination ? .destination : nil
    let deadline = now() + limits.reap * 2
    let victorIdentity = victor.flatMap { block.identity(of: $0) }
    while true {
      let isVictorGone = victor.map { PeerVMM($0, of: block)?.isGone ?? true } ?? false
      let hasReported = block.time(of: .reported) != 0
      var living: PeerVMM?
      let attempts = openBlocks()
      // Who has no room for a look has seen nobody's end; but a victor says its last word behind that of its losers.
      var isLoserLeft = attempts == nil && !hasReported
      for other in attempts ?? [] {
        // The victor stands in older blocks too, under the part that it had there.
        for party in [Party.source, .destination] where other.identity(of: party) != victorIdentity {
          guard let rival = PeerVMM(party, of: other), !rival.isGone else { continue }
          isLoserLeft = true
          living = rival
          if isVictorGone, now() >= deadline { _ = rival.kill(timeout: limits.reap) }
        }
      }
      let isTold = victor == nil || isVictorGone || hasReported
      if !isLoserLeft && isTold || now() >= deadline + limits.reap {
        // Older blocks lead to losers; with all of them gone the newest says everything.
        if !isLoserLeft, attempts != nil, block.state.isDecided {
          try? blocks.removeOlder(than: block.attempt)
        }
        let hasLeftInOrder = hasReported && machine.purpose == .handoff
        return isVictorGone && !hasLeftInOrder && machine.end != .lost ? .failed : .done
      }
      // Looking costs: it opens files and processes, while the guest wants its processors.
      guard let living else {
        wait(limits.pollInterval)
        continue
      }
      beat()
      _ = living.waitForExit(timeout: limits.pollInterval * 5)
    }
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
