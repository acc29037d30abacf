internal import FSRState
internal import FSRSystem

extension DestinationSession {
  // MARK: set-up

  func negotiate() throws -> Turn {
    let ours = HandoffProtocol.versions
    do {
      guard ours.overlaps(hello.versions) else {
        throw HandoffError.noCommonProtocol(ours: ours, theirs: hello.versions)
      }
      for section in hello.sections where section.isNeeded {
        guard let known = guest.sectionVersions.first(where: { $0.name == section.name }),
          section.version <= known.version
        else { throw HandoffError.sectionUnknown("\(section.name)' version '\(section.version)") }
      }
    } catch {
      // Noted first: the source may call it off the moment it hears.
      note(error)
      Invitation.refuse(error, on: channel)
      throw error
    }
    let version = min(ours.upperBound, hello.versions.upperBound)
    try channel.value.send(.agreed(Agreement(version: version, build: guest.build)))
    return .outcome(.done)
  }

  func prepare() throws -> Turn {
    do {
      if let wait = try awaitDescription() { return .waits(wait) }
      let description = try receiveDescription()
      try guest.prepare(description, session: self)
    } catch {
      // Noted first: the source may call it off the moment it hears.
      note(error)
      Invitation.refuse(error, on: channel)
      throw error
    }
    block.holdDescriptors(.destination, numbers: held.numbers)
    if kind == .successor { block.pass(.prepared, at: now()) }
    return .outcome(.done)
  }

  public func progressed(_ done: UInt64, of total: UInt64) {
    block.noteProgress(done, of: total, by: .destination)
  }

  /// Nil once something has come.
  private func awaitDescription() throws -> Wait? {
    let limit: UInt64
    if case .until(let moment) = phase { limit = moment } else { limit = now() &+ limits.answer }
    phase = .until(limit)
    if try channel.value.isReadable() { return nil }
    if now() >= limit { throw HandoffError.deadline("an answer of the source") }
    var wait = Wait(until: limit)
    wait.links = [channel]
    return wait
  }

  private func receiveDescription() throws -> GuestDescription {
    guard var arrival = try channel.value.receive(timeout: 0, from: "source") else {
      throw HandoffError.peerGone(.source)
    }
    guard case .manifest = arrival.message else {
      throw HandoffError.protocolViolation("\(arrival.message.name) where manifest is due")
    }
    let copies = try HeldDescriptors(arrival.descriptors.takeAll())
    checkpointMemory = Owned(
      try world.map(copies.checkpoint, length: copies.manifest.checkpointCapacity, writable: false))
    let manifest = copies.manifest
    guard manifest.machine == block.machine else { throw HandoffError.badBlock("it is of another VM") }
    let slots = try copies.duplicateSlots()
    held = copies.release()
    return GuestDescription(manifest: manifest, descriptors: slots)
  }

  // MARK: the switch

  func claim(_ state: ResumeState) -> StepOutcome {
    switch block.claim(state, by: .destination) {
    case .made:
      if state == .destination { block.pass(.decided, at: now()) }
      return .done
    case .found(.destination) where state != .source && block.isComplete:
      // Somebody has written the decision in this party's place. All others go by it and leave the guest alone, so it runs
      // here or nowhere.
      if state == .destination { block.passFirst(.decided, at: now()) }
      return .done
    case .found(let other): return .found(other)
    }
  }

  /// The source's complete is its release towards a destination; to a successor nobody has released.
  func fence() -> Turn {
    if kind == .handoff { return .outcome(.done) }
    if block.state != .destVerify { return .outcome(.found(block.state)) }
    let turn = awaitPeers(within: limits.fence, whileIn: .destVerify) { $0.isHarmless }
    guard case .outcome(.failed) = turn else { return turn }
    // Tried again until it comes, or the word says that it need not.
    phase = .paused(.failed)
    return .waits(.word(.destVerify, of: block, until: now() &+ limits.pollInterval * 10))
  }

  func takeStorage() -> Turn {
    let limit: UInt64
    if case .until(let moment) = phase {
      limit = moment
    } else {
      limit = now() &+ min(block.maxDowntime, HandoffLimits.longest)
      phase = .until(limit)
    }
    let state = block.state
    if state != .destVerify, state != .destination { return .outcome(.found(state)) }
    if guest.takeStorage() { return .outcome(.done) }
    if now() >= limit {
      note(HandoffError.deadline("taking over what one process alone may hold, such as the swap file,"))
      return .outcome(.failed)
    }
    return .waits(.word(state, of: block, until: now() &+ limits.pollInterval / 20))
  }

  func verify() throws -> Turn {
    let (length, checksum) = block.checkpointExtent
    guard let memory = checkpointMemory, length > 0, length <= memory.value.length else {
      throw StateError.notACheckpoint
    }
    // Copied once: what is checked is what is loaded, whatever the memory's other owners do.
    let bytes = memory.value.bytes(at: 0, count: Int(length))
    guard Checksum.of(bytes) == checksum else { throw StateError.checksum }
    let checkpoint = try Checkpoint(decoding: bytes)
    let isOfThisHandoff =
      kind == .successor ? checkpoint.attempt < block.attempt : checkpoint.attempt == block.attempt
    guard isOfThisHandoff else {
      throw HandoffError.badBlock("the checkpoint is of attempt \(checkpoint.attempt)")
    }
    guard checkpoint.machine == block.machine else {
      throw HandoffError.badBlock("the checkpoint is of another VM")
    }
    try guest.load(checkpoint)
    block.pass(.loaded, at: now())
    return .outcome(.done)
  }

  func resume() -> StepOutcome {
    guest.resume()
    return .done
  }

  // MARK: afterwards

  func reap() -> Turn {
    if case .begun = phase {
      guest.arrived()
      block.announce()
    }
    return awaitPeers(within: limits.reap) { $0.isGone }
  }

  func publish() -> StepOutcome {
    // Nobody maps the checkpoint for writing any more: void as it is, it stays as it was. Refused while a loser
    // that cannot be killed still has it.
    checkpointMemory = nil
    held.withDescriptor(at: 1) { try? world.seal($0) }
    block.pass(.reaped, at: now())
    return .done
  }

  /// Only a source that lives can take the guest back; otherwise the coordinator finds a successor.
  func giveBack() -> StepOutcome {
    if kind == .successor || source?.isGone != false { return .failed }
    let outcome = claim(.source)
    block.announce()
    return outcome
  }

  func release() -> StepOutcome {
    isOff.raise()
    block.ring()
    guest.abandon()
    block.release(.destination)
    return .done
  }

  func park() -> Turn {
    // Without a complete checkpoint, or the descriptors, there is nothing to hold on to once the source is gone.
    if source?.isGone != false, held.numbers.isEmpty || kind == .handoff && !block.isComplete {
      return .outcome(.done)
    }
    if let wait = blocks.value.undecided(since: block, pollInterval: limits.pollInterval * 10, in: world) {
      return .waits(wait)
    }
    return .outcome(.done)
  }

  func keep() -> StepOutcome {
    guest.finished(block)
    block.announce()
    return .done
  }

  // MARK: others

  /// Sees the other VMMs off: kills those that are late by `timeout` nanoseconds.
  ///
  /// - Parameters:
  ///   - state: of the word, whose change ends the wait too.
  ///   - isOff: whether one is in nobody's way any more.
  private func awaitPeers(
    within timeout: UInt64, whileIn state: ResumeState? = nil, _ isOff: (PeerVMM) -> Bool
  ) -> Turn {
    let time = now()
    switch phase {
    case .killed(let peers, let until):
      let left = peers.filter { !$0.isGone }
      if left.isEmpty { return .outcome(.done) }
      if time >= until { return .outcome(.failed) }
      return .waits(pause(for: left, until: until, whileIn: state))
    case .awaiting(let peers, let until):
      let left = peers.filter { !isOff($0) }
      if left.isEmpty { return .outcome(.done) }
      if time < until { return .waits(pause(for: left, until: until, whileIn: state)) }
      for peer in left { peer.kill() }
      phase = .killed(left, until: time &+ limits.reap)
    case .fresh, .begun, .until, .paused:
      guard let peers = peers() else { return .outcome(.failed) }
      phase = .awaiting(peers, until: time &+ timeout)
    }
    return awaitPeers(within: timeout, whileIn: state, isOff)
  }

  private func pause(for peers: [PeerVMM], until: UInt64, whileIn state: ResumeState?) -> Wait {
    let next = min(until, now() &+ limits.pollInterval)
    if let state { return .word(state, of: block, until: next) }
    var wait = Wait(until: next)
    wait.processes = peers.compactMap(\.process)
    return wait
  }

  /// Every VMM of this VM's undecided attempts but this one; nil where that cannot be told.
  private func peers() -> [PeerVMM]? {
    if kind == .handoff { return source.map { [$0] } ?? [] }
    guard let attempts = try? blocks.value.attempts() else { return nil }
    var peers: [PeerVMM] = []
    for attempt in attempts where attempt <= block.attempt {
      do {
        // A decided block's victor stands in the next one, and its losers are gone.
        guard let other = try blocks.value.open(attempt), attempt == block.attempt || !other.state.isDecided
        else {
          continue
        }
        peers += [.source, .destination].compactMap { PeerVMM($0, of: other, in: world) }
      } catch {
        note(error)
        return nil
      }
    }
    return peers
  }
}
