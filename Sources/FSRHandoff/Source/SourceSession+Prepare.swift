internal import FSRState
internal import FSRSystem

/// The steps while the guest runs.
extension SourceSession {
  /// Nothing is begun before it is seen that all of the guest can be handed over.
  func publishBlock() throws -> StepOutcome {
    description = try describe()
    block.introduce(.source, in: world.namespace)
    try blocks.publish(block)
    isPublished = true
    block.pass(.requested, at: now())
    coordinator.tell(.accepted)
    return .done
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

  func startDestination() throws -> StepOutcome {
    if let interrupted = try interruption() { return interrupted }
    let pair = try world.makeLinks()
    var launch = guest.launch
    if !request.executable.isEmpty { launch.executable = request.executable }
    let started = try world.start(launch, over: pair.theirs)
    // A child that is gone already has no identity; the negotiation says so.
    if let identity = started.identities.first {
      block.enroll(.destination, as: identity, in: world.namespace)
    }
    child = started
    channel = Owned(pair.ours)
    block.pass(.started, at: now())
    return .done
  }

  func negotiate() throws -> StepOutcome {
    var introduction = DescriptorBag()
    introduction.append(try block.descriptor.duplicate())
    introduction.append(try blocks.directory.descriptor.duplicate())
    let fault = request.fault
    try send(
      .hello(Hello(isSuccessor: false, sections: guest.sectionVersions, build: guest.build, fault: fault)),
      introduction)
    switch try awaitDestination("the destination's answer", refusing: .version) {
    case .interrupted(let outcome): return outcome
    case .said(.agreed(let agreement)):
      guard HandoffProtocol.versions.contains(agreement.version) else {
        throw HandoffError.protocolViolation("it chose protocol version \(agreement.version)")
      }
      block.pass(.negotiated, at: now())
      return .done
    case .said(let other): throw HandoffError.protocolViolation("\(other.name) where agreed is due")
    }
  }

  func sendManifest() throws -> StepOutcome {
    if let interrupted = try interruption() { return interrupted }
    guard var description = description.take() else { preconditionFailure("described before") }
    let capacity = description.manifest.checkpointCapacity
    let encoded = description.manifest.encoded
    let manifestMemory = try world.makeMemory("fsr-manifest", size: UInt64(encoded.count))
    try manifestMemory.write(encoded, at: 0)
    try world.seal(manifestMemory)
    let memory = try world.makeMemory("fsr-checkpoint", size: capacity)
    let place = CheckpointMemory(try world.map(memory, length: capacity, writable: true))
    checkpointMemory = place
    checkpoint = CheckpointWriter(machine: block.machine, attempt: block.attempt, to: place)

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
    try send(.manifest, bag)
    held = bag
    return .done
  }

  func awaitPrepared() throws -> StepOutcome {
    switch try awaitDestination("the destination's preparation") {
    case .interrupted(let outcome): return outcome
    case .said(.prepared): break
    case .said(let other): throw HandoffError.protocolViolation("\(other.name) where prepared is due")
    }
    // Only with the coordinator's copies, or without a coordinator, may the guest be stopped.
    let deadline = now() + limits.copies
    while true {
      if let interrupted = try interruption() { return interrupted }
      if coordinator.holdsCopies || coordinator.isGone { break }
      if now() >= deadline { throw HandoffError.deadline("the coordinator's copying of descriptors") }
      var wait = Wait(until: now() + limits.pollInterval * 5)
      wait.links = coordinator.links
      world.wait(wait)
    }
    block.pass(.prepared, at: now())
    // From here on the guest notices.
    if plan.depth == .trial { throw HandoffError.tried }
    return .done
  }

  /// Looks again and again at the copying, which goes on by itself.
  func precopy() throws -> StepOutcome {
    var stages = Precopy.Stage.allCases[...]
    while true {
      if let interrupted = try interruption() { return interrupted }
      if let child, child.hasExited { throw HandoffError.peerGone(.destination) }
      let progress = try guest.precopy()
      // One that is over between two looks was passed too.
      while let passed = stages.first, passed.rank <= progress.stage.rank {
        fault.reach(passed.step, in: world)
        stages = stages.dropFirst()
      }
      block.copiedBytes = progress.copied
      // A recovery, if the coordinator dies, sees by it that the copying is looked after.
      block.beat(.source, at: now())
      if progress.total > 0 { block.noteProgress(progress.copied, of: progress.total, by: .source) }
      if progress.stage == .standing {
        block.pass(.copied, at: now())
        return .done
      }
      var wait = Wait(until: now() + limits.pollInterval)
      wait.links = coordinator.links
      if let child { wait.processes = [child] }
      block.announce()
      world.wait(wait)
    }
  }

  func quiesce() throws -> StepOutcome {
    if let interrupted = try interruption() { return interrupted }
    try guest.quiesce()
    block.pass(.quiesced, at: now())
    // The destination's first thread goes through its part once more, to have it at hand.
    block.ring()
    return .done
  }

  // MARK: the destination's answers

  enum Answer {
    case said(Message)
    case interrupted(StepOutcome)
  }

  private func send(_ message: Message, _ descriptors: borrowing DescriptorBag) throws {
    guard let channel else { preconditionFailure("a destination was started") }
    do { try channel.value.send(message, descriptors: descriptors) } catch { throw error.ofDestination }
  }

  /// What the destination has sent; nil where it has hung up.
  private func hear(_ channel: Owned<HandoffLink>) throws -> HandoffLink.Arrival? {
    do { return try channel.value.receive(timeout: 0, from: "destination") } catch {
      throw error.ofDestination
    }
  }

  /// The next message of the destination, unless the handoff is called off or the destination ends before.
  ///
  /// - Parameter code: of a refusal that comes without one.
  private func awaitDestination(_ what: String, refusing code: ReasonCode? = nil) throws -> Answer {
    guard let channel, let child else { preconditionFailure("a destination was started") }
    let deadline = min(now() + limits.answer, deadline)
    while true {
      if let interrupted = try interruption() { return .interrupted(interrupted) }
      // Looked at first: what it said before its end counts.
      let isGone = child.hasExited
      if try channel.value.isReadable() {
        guard let arrival = try hear(channel) else { throw HandoffError.peerGone(.destination) }
        guard child.hasSent(arrival.sender) else {
          throw HandoffError.wrongProcess(
            expected: child.identities.first?.pid ?? 0, was: arrival.sender ?? 0)
        }
        guard arrival.descriptors.numbers.isEmpty else {
          throw HandoffError.protocolViolation("descriptors come with '\(arrival.message.name)'")
        }
        if case .refused(let reason) = arrival.message {
          throw HandoffError.refused(reason.causing("the destination refused", code: code))
        }
        return .said(arrival.message)
      }
      if isGone { throw HandoffError.peerGone(.destination) }
      if now() >= deadline { throw HandoffError.deadline(what) }
      var wait = Wait(until: now() + limits.pollInterval * 10)
      wait.links = [channel] + coordinator.links
      wait.processes = [child]
      world.wait(wait)
    }
  }
}
