internal import FSRState
internal import FSRSystem

/// Starting a VMM that goes on with the guest where neither of the two can.
extension CoordinatorSession {
  /// Makes the next attempt's block and starts a VMM of the source's build from the complete checkpoint.
  mutating func startSuccessor() throws -> Turn {
    guard let old = block, let copies = holdings.copies else {
      throw HandoffError.badBlock("there are no copies to start from")
    }
    guard old.attempt < .max else { throw HandoffError.badBlock("there is no attempt after \(old.attempt)") }
    let fresh = try blocks.create(
      attempt: old.attempt + 1, generation: old.generation, machine: old.machine, state: .destVerify,
      draft: world.draftNumber())
    let extent = old.checkpointExtent
    fresh.enroll(.coordinator, as: world.me, in: world.namespace)
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
    peers = Peers()
    patience.unattended.end()
    try introduce(fresh, copies)
    return .event(.done)
  }

  /// Plays the source's part in the set-up of a successor.
  private mutating func introduce(_ fresh: ControlBlock, _ copies: Owned<HeldDescriptors>) throws {
    let pair = try world.makeLinks()
    let manifest = copies.value.manifest
    let started = try world.startSuccessor(
      Launch(executable: manifest.executable, arguments: manifest.arguments), program: copies.value.program,
      logTo: folder, over: pair.theirs)
    if let identity = started.identities.first {
      fresh.enroll(.destination, as: identity, in: world.namespace)
    }
    var introduction = DescriptorBag()
    introduction.append(try fresh.descriptor.duplicate())
    introduction.append(try blocks.directory.descriptor.duplicate())
    try pair.ours.send(.hello(Hello(isSuccessor: true, sections: [], build: "")), descriptors: introduction)
    try pair.ours.send(.manifest, descriptors: try copies.value.duplicate())
    holdings.channel = Owned(pair.ours)
  }
}
