internal import FSRState
internal import FSRSystem

/// The steps while the guest runs.
extension SourceSession {
  /// Nothing is begun before it is seen that all of the guest can be handed over.
  func publishBlock() throws -> Turn {
    description = try describe()
    block.introduce(.source, in: world.namespace)
    try blocks.publish(block)
    block.pass(.requested, at: now())
    coordinator.tell(.accepted)
    return .outcome(.done)
  }

  private func describe() throws -> GuestDescription {
    let described: GuestDescription
    do { described = try guest.describe() } catch let error as SystemError where error.isClosed {
      throw HandoffError.refused(
        Reason("what goes with the VM cannot be copied: \(error.reason.what)", code: .descriptor))
    }
    try described.checkDescriptors()
    // A coordinator ends with the handoff, and writes nothing of the VM's.
    try described.checkWriters(besides: coordinator.pid.map { [$0] } ?? [], in: world)
    return described
  }

  func startDestination() throws -> Turn {
    if let interrupted = try interruption() { return .outcome(interrupted) }
    let pair = try world.makeLinks()
    var launch = guest.launch
    if !request.executable.isEmpty { launch.executable = request.executable }
    let started = try world.start(launch, over: pair.theirs)
    // A child that is gone already has no identity; the negotiation says so.
    if let identity = started.identities.first {
      block.enroll(.destination, as: identity, in: world.namespace)
    }
    destination = StartedDestination(process: started, link: Owned(pair.ours))
    block.pass(.started, at: now())
    return .outcome(.done)
  }

  func negotiate() throws -> Turn {
    if case .begun = phase { try introduce() }
    switch try hear("the destination's answer", refusing: .version) {
    case .turn(let turn): return turn
    case .said(.agreed(let agreement)):
      guard HandoffProtocol.versions.contains(agreement.version) else {
        throw HandoffError.protocolViolation("it chose protocol version \(agreement.version)")
      }
      block.pass(.negotiated, at: now())
      return .outcome(.done)
    case .said(let other): throw HandoffError.protocolViolation("\(other.name) where agreed is due")
    }
  }

  private func introduce() throws {
    var introduction = DescriptorBag()
    introduction.append(try block.descriptor.duplicate())
    introduction.append(try blocks.directory.descriptor.duplicate())
    try destination?.tell(
      .hello(
        Hello(
          isSuccessor: false, sections: guest.sectionVersions, build: guest.build, fault: request.fault)),
      introduction)
  }

  func sendManifest() throws -> Turn {
    if let interrupted = try interruption() { return .outcome(interrupted) }
    guard var description = description.take() else { preconditionFailure("described before") }
    let capacity = description.manifest.checkpointCapacity
    let encoded = description.manifest.encoded
    let manifestMemory = try world.makeMemory("fsr-manifest", size: UInt64(encoded.count))
    try manifestMemory.write(encoded, at: 0)
    try world.seal(manifestMemory)
    let memory = try world.makeMemory("fsr-checkpoint", size: capacity)
    let place = CheckpointMemory(try world.map(memory, length: capacity, writable: true))

    var bag = DescriptorBag()
    bag.append(manifestMemory)
    bag.append(memory)
    for index in 0..<description.manifest.slots.count {
      guard let descriptor = description.descriptors.take(index) else {
        preconditionFailure("a manifest comes with a descriptor for each slot")
      }
      bag.append(descriptor)
    }
    block.holdDescriptors(.source, numbers: bag.numbers)
    coordinator.tell(.manifest, descriptors: bag)
    try destination?.tell(.manifest, bag)
    sent = SentGuest(bag, checkpointIn: place, of: block)
    return .outcome(.done)
  }

  func awaitPrepared() throws -> Turn {
    if case .prepared(let until) = phase { return try awaitCopies(until: until) }
    switch try hear("the destination's preparation") {
    case .turn(let turn): return turn
    case .said(.prepared):
      let until = now() &+ limits.copies
      phase = .prepared(until: until)
      return try awaitCopies(until: until)
    case .said(let other): throw HandoffError.protocolViolation("\(other.name) where prepared is due")
    }
  }

  /// Only with the coordinator's copies, or without a coordinator, may the guest be stopped.
  private func awaitCopies(until deadline: UInt64) throws -> Turn {
    if let interrupted = try interruption() { return .outcome(interrupted) }
    guard coordinator.holdsCopies || coordinator.isGone else {
      if now() >= deadline { throw HandoffError.deadline("the coordinator's copying of descriptors") }
      var wait = Wait(until: now() &+ limits.pollInterval * 5)
      wait.links = coordinator.links
      return .waits(wait)
    }
    block.pass(.prepared, at: now())
    // From here on the guest notices.
    if plan.depth == .trial { throw HandoffError.tried }
    return .outcome(.done)
  }

  /// Looks again and again at the copying, which goes on by itself.
  func precopy() throws -> Turn {
    if let interrupted = try interruption() { return .outcome(interrupted) }
    if let destination, destination.process.hasExited { throw HandoffError.peerGone(.destination) }
    let progress = try guest.precopy()
    passStages(to: progress.stage)
    block.copiedBytes = progress.copied
    // A recovery, if the coordinator dies, sees by it that the copying is looked after.
    block.beat(.source, at: now())
    if progress.total > 0 { block.noteProgress(progress.copied, of: progress.total, by: .source) }
    if progress.stage == .standing {
      block.pass(.copied, at: now())
      return .outcome(.done)
    }
    var wait = Wait(until: now() &+ limits.pollInterval)
    wait.links = coordinator.links
    if let destination { wait.processes = [destination.process] }
    block.announce()
    return .waits(wait)
  }

  /// A stage that is over between two looks is passed too.
  private func passStages(to stage: Precopy.Stage) {
    var passed = 0
    if case .copying(let before) = phase { passed = before }
    let stages = Precopy.Stage.allCases
    while passed < stages.count, stages[passed].rank <= stage.rank {
      fault.reach(stages[passed].step, in: world)
      passed += 1
    }
    phase = .copying(passed: passed)
  }

  func quiesce() throws -> Turn {
    if let interrupted = try interruption() { return .outcome(interrupted) }
    guard try guest.quiesce() else {
      var wait = Wait(until: now() &+ limits.pollInterval)
      wait.word = (block, .none)
      return .waits(wait)
    }
    block.pass(.quiesced, at: now())
    // The destination's first thread goes through its part once more, to have it at hand.
    block.ring()
    return .outcome(.done)
  }

  // MARK: the destination's answers

  private enum Hearing {
    case said(Message)
    case turn(Turn)
  }

  /// The next message of the destination, unless the handoff is called off or the destination ends before.
  ///
  /// - Parameter code: of a refusal that comes without one.
  private func hear(_ what: String, refusing code: ReasonCode? = nil) throws -> Hearing {
    guard let destination, let link = destination.link else {
      preconditionFailure("a destination was started")
    }
    let limit: UInt64
    if case .until(let moment) = phase {
      limit = moment
    } else {
      limit = min(now() &+ limits.answer, deadline)
    }
    phase = .until(limit)
    if let interrupted = try interruption() { return .turn(.outcome(interrupted)) }
    // Looked at first: what it said before its end counts.
    let isGone = destination.process.hasExited
    if let message = try destination.hear(refusing: code) { return .said(message) }
    if isGone { throw HandoffError.peerGone(.destination) }
    if now() >= limit { throw HandoffError.deadline(what) }
    var wait = Wait(until: min(limit, now() &+ limits.pollInterval * 10))
    wait.links = [link] + coordinator.links
    wait.processes = [destination.process]
    return .turn(.waits(wait))
  }
}
