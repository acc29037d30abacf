internal import FSRState
internal import FSRSystem

extension DestinationSession {
  // MARK: set-up

  func negotiate() throws -> StepOutcome {
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
      Self.refuse(error, on: channel.value)
      throw error
    }
    let version = min(ours.upperBound, hello.versions.upperBound)
    try channel.value.send(.agreed(Agreement(version: version, build: guest.build)))
    return .done
  }

  func prepare() throws -> StepOutcome {
    do {
      let description = try receiveDescription()
      try guest.prepare(description, session: self)
    } catch {
      // Noted first: the source may call it off the moment it hears.
      note(error)
      Self.refuse(error, on: channel.value)
      throw error
    }
    block.holdDescriptors(.destination, numbers: held.numbers)
    if kind == .successor { block.pass(.prepared, at: now()) }
    return .done
  }

  public func progressed(_ done: UInt64, of total: UInt64) {
    block.noteProgress(done, of: total, by: .destination)
  }

  private func receiveDescription() throws -> GuestDescription {
    guard var arrival = try channel.value.receive(timeout: limits.answer, from: "source") else {
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
  func fence() -> StepOutcome {
    if kind == .handoff { return .done }
    let deadline = now() + limits.fence
    let outcome = eachPeer { rival in
      while true {
        if block.state != .destVerify { return .found(block.state) }
        if rival.isHarmless { return .done }
        if now() >= deadline { return rival.kill(timeout: limits.reap) ? .done : .failed }
        world.wait(while: .destVerify, of: block, timeout: limits.pollInterval)
      }
    }
    // Tried again until it comes, or the word says that it need not.
    if outcome == .failed { world.wait(while: .destVerify, of: block, timeout: limits.pollInterval * 10) }
    return outcome
  }

  func takeStorage() -> StepOutcome {
    let deadline = now() &+ min(block.maxDowntime, HandoffLimits.longest)
    while true {
      let state = block.state
      if state != .destVerify, state != .destination { return .found(state) }
      if guest.takeStorage() { return .done }
      if now() >= deadline {
        note(HandoffError.deadline("taking over what one process alone may hold, such as the swap file,"))
        return .failed
      }
      world.wait(while: state, of: block, timeout: limits.pollInterval / 20)
    }
  }

  func verify() throws -> StepOutcome {
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
    return .done
  }

  func resume() -> StepOutcome {
    guest.resume()
    return .done
  }

  // MARK: afterwards

  func reap() -> StepOutcome {
    guest.arrived()
    block.announce()
    let deadline = now() + limits.reap
    return eachPeer { rival in
      while !rival.isGone {
        if now() >= deadline { return rival.kill(timeout: limits.reap) ? .done : .failed }
        _ = rival.waitForExit(timeout: limits.pollInterval)
      }
      return .done
    }
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

  func park() -> StepOutcome {
    blocks.parkUntilDecided(after: block, pollInterval: limits.pollInterval * 10, in: world) {
      // Without a complete checkpoint, or the descriptors, there is nothing to hold on to once the source is gone.
      source?.isGone != false && (held.numbers.isEmpty || kind == .handoff && !block.isComplete)
    }
    return .done
  }

  /// Every VMM of this VM's undecided attempts but this one.
  private func eachPeer(_ body: (PeerVMM) -> StepOutcome) -> StepOutcome {
    if kind == .handoff {
      guard let source else { return .done }
      return body(source)
    }
    guard let attempts = try? blocks.attempts() else { return .failed }
    for attempt in attempts where attempt <= block.attempt {
      let other: ControlBlock
      do {
        // A decided block's victor stands in the next one, and its losers are gone.
        guard let found = try blocks.open(attempt), attempt == block.attempt || !found.state.isDecided else {
          continue
        }
        other = found
      } catch {
        note(error)
        return .failed
      }
      for party in [Party.source, .destination] {
        guard let rival = PeerVMM(party, of: other, in: world) else { continue }
        let outcome = body(rival)
        if outcome != .done { return outcome }
      }
    }
    return .done
  }
}
