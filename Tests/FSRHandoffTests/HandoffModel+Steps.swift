import FSRHandoff

extension HandoffModel {
  /// All that can happen next; each transition as the world after it.
  func successors() throws -> [HandoffModel] {
    var worlds: [HandoffModel] = []
    if canStep(.source) { try sourceSteps(&worlds) }
    if canStep(.destination) { try destinationSteps(.destination, \.destination, &worlds) }
    if canStep(.successor1) { try destinationSteps(.successor1, \.successor1, &worlds) }
    if canStep(.successor2) { try destinationSteps(.successor2, \.successor2, &worlds) }
    if canStep(.coordinator) { coordinatorSteps(.coordinator, \.coordinator, &worlds) }
    if canStep(.recovery) { coordinatorSteps(.recovery, \.recovery, &worlds) }
    return worlds
  }

  /// What the environment may do at any moment.
  func disturbances() -> [HandoffModel] {
    if hadLastRecovery { return [] }
    var worlds: [HandoffModel] = []
    for actor in Actor.allCases where isAlive(actor) {
      if kills > 0 {
        worlds.append(
          changed {
            $0.kills -= 1
            $0.fault(actor)
            $0.bury(actor)
          })
      }
      if stops > 0, !isStopped(actor) {
        worlds.append(
          changed {
            $0.stops -= 1
            $0.fault(actor)
            $0.stopped |= actor.bit
          })
      }
      if isStopped(actor) { worlds.append(changed { $0.stopped &= ~actor.bit }) }
    }
    if !has(started, .recovery) { worlds.append(withRecovery()) }
    return worlds
  }

  func withRecovery() -> HandoffModel {
    changed {
      $0.started |= Actor.recovery.bit
      $0.alive |= Actor.recovery.bit
    }
  }

  /// Nil when there was one already, or an earlier one still lives.
  func withLastRecovery() -> HandoffModel? {
    guard !hadLastRecovery, !isAlive(.recovery) else { return nil }
    return changed {
      $0.hadLastRecovery = true
      $0.started |= Actor.recovery.bit
      $0.alive |= Actor.recovery.bit
      $0.recovery = Coordinator(.recovery)
    }
  }

  func changed(_ change: (inout HandoffModel) -> Void) -> HandoffModel {
    var world = self
    change(&world)
    return world
  }

  /// The word of `block` moves from one of `old`; what a compare-and-swap answers.
  mutating func claim(_ block: Int, from old: [ResumeState], to new: ResumeState, by party: Party)
    -> StepOutcome
  {
    let now = words[block]
    guard old.contains(now), ResumeWord.allows(now, to: new, by: party) else { return .found(now) }
    words[block] = new
    return .done
  }

  // MARK: the source

  private func sourceSteps(_ worlds: inout [HandoffModel]) throws {
    func add(_ outcome: StepOutcome, _ effect: (inout HandoffModel) throws -> Void = { _ in }) throws {
      var world = self
      try effect(&world)
      _ = world.source.next(after: outcome)
      worlds.append(world)
    }
    let word = words[0]
    switch source.step {
    case .publishBlock, .quiesce, .wake, .report: try add(.done)
    case .startDestination:
      try add(.done) {
        $0.started |= Actor.destination.bit
        $0.alive |= Actor.destination.bit
      }
      try add(.failed)
    case .negotiate:
      if destinationAgreed { try add(.done) }
      try add(.failed)
      if word != .none { try add(.found(word)) }
    case .sendManifest: try add(.done) { $0.manifestSent = true }
    case .awaitPrepared:
      if prepared && (acknowledged || sabotage == .stunWithoutCopies || !isAlive(.coordinator)) {
        try add(.done)
      }
      try add(.failed)
      if word != .none { try add(.found(word)) }
    case .precopy:
      try add(.done)
      try add(.failed)
      if word != .none { try add(.found(word)) }
    // Both read the word before they act: who was stopped meanwhile must not act on what it knew before.
    case .stun where word != .none, .complete where word != .none: try add(.found(word))
    case .stun:
      try add(.done) {
        $0.running &= ~Actor.source.bit
        if $0.sabotage == .completeBeforeSave { $0.isComplete = true }
      }
      try add(.failed) { $0.running &= ~Actor.source.bit }
    case .saveCheckpoint: try add(.done) { $0.isSaved = true }
    case .releaseStorage: try add(.done) { $0.swapOwner = nil }
    case .complete: try add(.done) { $0.isComplete = true }
    case .race:
      try add(.failed)
      if word != .none { try add(.found(word)) }
    case .claimSource where sabotage == .lateSourceRuns && word == .destination:
      try add(.done) { $0.words[0] = .source }
    case .claimSource:
      var world = self
      let outcome = world.claim(0, from: [.none, .destVerify], to: .source, by: .source)
      _ = world.source.next(after: outcome)
      worlds.append(world)
    case .fence:
      if has(released, .destination) || !isAlive(.destination) { try add(.done) }
      if isAlive(.destination), !has(released, .destination) { try add(.done) { $0.killLate(.destination) } }
      if word != .source { try add(.found(word)) }
    case .takeBack:
      if swapOwner == nil || swapOwner == .source { try add(.done) { $0.swapOwner = .source } }
      if word != .source { try add(.found(word)) }
    case .claimResumed:
      var world = self
      let outcome = world.claim(0, from: [.source], to: .resumed, by: .source)
      _ = world.source.next(after: outcome)
      worlds.append(world)
    case .resume: try add(.done) { try $0.enter(.source) }
    case .reap: reap([.destination], &worlds) { _ = $0.source.next(after: .done) }
    case .keep: break
    case .release:
      try add(.done) {
        $0.released |= Actor.source.bit
        if $0.swapOwner == .source { $0.swapOwner = nil }
      }
    case .park: if sabotage == .loserLeavesAtOnce || words.last!.isDecided { try add(.done) }
    case .leave: worlds.append(changed { $0.bury(.source) })
    }
  }

  /// Waits for the end of `losers`, and may at any moment find one late and kill it.
  private func reap(
    _ losers: [Actor], _ worlds: inout [HandoffModel], then next: (inout HandoffModel) -> Void
  ) {
    let left = losers.filter { isAlive($0) }
    if left.isEmpty { worlds.append(changed(next)) }
    for loser in left { worlds.append(changed { $0.killLate(loser) }) }
  }

  // MARK: destinations

  private func destinationSteps(
    _ me: Actor, _ machine: WritableKeyPath<HandoffModel, DestinationHandoff>, _ worlds: inout [HandoffModel]
  ) throws {
    func add(_ outcome: StepOutcome, _ effect: (inout HandoffModel) throws -> Void = { _ in }) throws {
      var world = self
      try effect(&world)
      _ = world[keyPath: machine].next(after: outcome)
      worlds.append(world)
    }
    func claimed(_ old: ResumeState, _ new: ResumeState, _ block: Int) {
      var world = self
      let outcome = world.claim(block, from: [old], to: new, by: .destination)
      _ = world[keyPath: machine].next(after: outcome)
      worlds.append(world)
    }
    let block = me == .successor1 ? 1 : me == .successor2 ? 2 : 0
    let word = words[block]
    let isSuccessor = block > 0
    let others = Actor.allCases.filter { other in
      [.source, .destination, .successor1, .successor2].contains(other) && other.rawValue < me.rawValue
    }
    switch self[keyPath: machine].step {
    case .negotiate:
      try add(.done) { if !isSuccessor { $0.destinationAgreed = true } }
      try add(.failed)
    case .prepare:
      if isSuccessor {
        try add(.done) { $0.holds |= me.bit }
      } else {
        if manifestSent {
          try add(.done) {
            $0.holds |= me.bit
            $0.prepared = true
          }
        }
        if !isAlive(.source) { try add(.failed) }
      }
      try add(.failed)
    case .awaitComplete:
      if word != .none { try add(.found(word)) }
      if isComplete { try add(.done) } else if !isAlive(.source) { try add(.failed) }
    case .claimVerify:
      claimed(.none, .destVerify, block)
    case .fence:
      let unreleased = others.filter { isAlive($0) && !has(released, $0) }
      if !isSuccessor || unreleased.isEmpty { try add(.done) }
      if isSuccessor { for other in unreleased { worlds.append(changed { $0.killLate(other) }) } }
      if word != .destVerify { try add(.found(word)) }
    case .takeStorage:
      if swapOwner == nil { try add(.done) { $0.swapOwner = me } }
      if !isSuccessor { try add(.failed) }
      if word != .destVerify { try add(.found(word)) }
    case .verify:
      try add(.done)
      try add(.failed)
    case .claimDestination:
      claimed(.destVerify, .destination, block)
    case .resume: try add(.done) { try $0.enter(me) }
    case .reap: reap(others, &worlds) { _ = $0[keyPath: machine].next(after: .done) }
    case .publish: try add(.done)
    case .keep: break
    case .giveBack:
      if isSuccessor || !isAlive(.source) { try add(.failed) } else { claimed(.destVerify, .source, block) }
    case .release:
      try add(.done) {
        $0.released |= me.bit
        if $0.swapOwner == me { $0.swapOwner = nil }
      }
    case .park:
      if sabotage == .loserLeavesAtOnce || words.last!.isDecided || (!isComplete && !isAlive(.source)) {
        try add(.done)
      }
    case .leave: worlds.append(changed { $0.bury(me) })
    }
  }

  // MARK: coordinators

  private func coordinatorSteps(
    _ me: Actor, _ machine: WritableKeyPath<HandoffModel, Coordinator>, _ worlds: inout [HandoffModel]
  ) {
    func add(_ event: Coordinator.Event, _ effect: (inout HandoffModel) -> Void = { _ in }) {
      worlds.append(
        changed {
          effect(&$0)
          _ = $0[keyPath: machine].next(after: event)
        })
    }
    func claimed(_ old: [ResumeState], _ new: ResumeState) {
      var world = self
      let outcome = world.claim(words.count - 1, from: old, to: new, by: .coordinator)
      let event: Coordinator.Event = if case .found(let state) = outcome { .found(state) } else { .done }
      _ = world[keyPath: machine].next(after: event)
      worlds.append(world)
    }
    switch self[keyPath: machine].step {
    case .lock: takeLock(me, &worlds) { _ = $0[keyPath: machine].next(after: .done) }
    case .settle, .createBlock, .request: add(.done)
    case .takeCopies:
      if manifestSent && isAlive(.source) { add(.done) { $0.holds |= me.bit } }
      add(.failed)
    case .acknowledge: add(.done) { $0.acknowledged = true }
    case .gather: add(.done) { if $0.holds != 0 { $0.holds |= me.bit } }
    case .watch: for seen in looks(me) { add(.saw(seen)) }
    case .revoke: claimed([.none, .destVerify], .source)
    case .succeed: claimed([.none, .destVerify, .source], .successor)
    case .startSuccessor: startSuccessor(me, &worlds) { _ = $0[keyPath: machine].next(after: .done) }
    case .reapLosers: reapLosers(&worlds) { _ = $0[keyPath: machine].next(after: .done) }
    case .finish:
      // Who leaves a stunned guest to a person has given up its copies: the host is short of one party.
      let gaveUp = self[keyPath: machine].end == .stunned
      worlds.append(
        changed {
          if gaveUp { $0.fault(me) }
          $0.bury(me)
        })
    }
  }

  private func takeLock(_ me: Actor, _ worlds: inout [HandoffModel], then next: (inout HandoffModel) -> Void)
  {
    guard let owner = lockOwner else {
      worlds.append(
        changed {
          $0.lockOwner = me
          next(&$0)
        })
      return
    }
    // From one that hangs it takes the descriptors first, then its life.
    if isStopped(owner) {
      worlds.append(
        changed {
          if $0.has($0.holds, owner) { $0.holds |= me.bit }
          $0.bury(owner)
        })
    } else {
      worlds.append(changed { $0.bury(me) })
    }
  }

  /// Who is the source and who the destination of the newest block.
  private var newestDestination: Actor {
    words.count == 1 ? .destination : words.count == 2 ? .successor1 : .successor2
  }

  private func looks(_ me: Actor) -> [Observation] {
    let target = newestDestination
    let sourceLiveness: Liveness =
      words.count > 1 || !isAlive(.source) ? .gone : isStopped(.source) ? .hung : .alive
    let wasStarted = has(started, target)
    // Before the source has started it, a destination is not missed; in a successor's block it is.
    let targetLiveness: Liveness =
      !wasStarted
      ? (words.count > 1 ? .gone : .alive) : !isAlive(target) ? .gone : isStopped(target) ? .hung : .alive
    return [false, true].map { isToStop in
      Observation(
        source: sourceLiveness, destination: targetLiveness, destinationReleased: has(released, target),
        isComplete: isComplete, word: words.last!, hasEntered: running != 0 || runnerDied,
        holdsCopies: has(holds, me), isToStop: isToStop)
    }
  }

  private func startSuccessor(
    _ me: Actor, _ worlds: inout [HandoffModel], then next: (inout HandoffModel) -> Void
  ) {
    // Two transitions, so that a death may come between the block and the process.
    if words.last! == .successor {
      guard words.count < 3 else { return }
      worlds.append(changed { $0.words.append(.destVerify) })
    } else if !has(started, newestDestination) {
      let target = newestDestination
      worlds.append(
        changed {
          $0.started |= target.bit
          $0.alive |= target.bit
          next(&$0)
        })
    }
  }

  private func reapLosers(_ worlds: inout [HandoffModel], then next: (inout HandoffModel) -> Void) {
    let parties: [Actor] = [.source, .destination, .successor1, .successor2]
    let victorRuns = parties.contains { has(running, $0) }
    let losers = parties.filter { isAlive($0) && !has(running, $0) }
    if losers.isEmpty || victorRuns { worlds.append(changed(next)) }
    // With the victor gone nobody else does it; a lost guest's destination leaves by itself.
    let victor: Actor? =
      words.last! == .resumed ? .source : words.last! == .destination ? newestDestination : nil
    if let victor, !isAlive(victor) { for loser in losers { worlds.append(changed { $0.bury(loser) }) } }
  }
}
