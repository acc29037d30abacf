public import FSRSystem

/// Who takes part, and what each says of itself.
extension ControlBlock {
  /// Writes down who `party` is, and which PID namespace its number is of.
  ///
  /// - Parameter version: the highest of the protocol that it speaks, where that is known; 0 where not.
  public func enroll(
    _ party: Party, as identity: ProcessIdentity, in namespace: PIDNamespace = .own,
    speaking version: UInt16 = 0
  ) {
    let base = BlockLayout.party(party)
    region.atomicStore(UInt32(0), at: base + BlockLayout.isSet)
    region.atomicStore(UInt32(0), at: base + BlockLayout.descriptorCount)
    region.atomicStore(UInt32(0), at: BlockLayout.members(party))
    region.store(identity.pid, at: base + BlockLayout.pid)
    region.store(identity.startTime, at: base + BlockLayout.startTime)
    region.store(identity.bootID.high, at: base + BlockLayout.bootHigh)
    region.store(identity.bootID.low, at: base + BlockLayout.bootLow)
    region.store(namespace.number, at: BlockLayout.namespace(party))
    region.store(UInt32(version), at: BlockLayout.version(party))
    region.atomicStore(UInt32(1), at: base + BlockLayout.isSet)
  }

  /// Who `party` is; nil before it takes part.
  public func identity(of party: Party) -> ProcessIdentity? {
    let base = BlockLayout.party(party)
    guard region.atomicLoad(base + BlockLayout.isSet, as: UInt32.self) == 1 else { return nil }
    return ProcessIdentity(
      pid: region.load(base + BlockLayout.pid), startTime: region.load(base + BlockLayout.startTime),
      bootID: BootID(
        high: region.load(base + BlockLayout.bootHigh), low: region.load(base + BlockLayout.bootLow)))
  }

  /// Says of this process, which is `party`, what whoever has enrolled it may not know: the PID namespace that its number is
  /// of, and the highest version of the protocol that it speaks.
  public func introduce(_ party: Party, in namespace: PIDNamespace = .own) {
    region.store(namespace.number, at: BlockLayout.namespace(party))
    region.store(UInt32(HandoffProtocol.versions.upperBound), at: BlockLayout.version(party))
  }

  /// The highest version of the protocol that `party` speaks; 1 where it has not said so.
  public func version(of party: Party) -> UInt16 {
    max(1, UInt16(truncatingIfNeeded: region.load(BlockLayout.version(party), as: UInt32.self)))
  }

  /// The PID namespace that the number of `party` is of; unknown where a build has written it that says none.
  public func namespace(of party: Party) -> PIDNamespace {
    PIDNamespace(number: region.load(BlockLayout.namespace(party)))
  }

  /// Whether `party` has said that it touches nothing of the guest any more.
  public func hasReleased(_ party: Party) -> Bool {
    region.atomicLoad(BlockLayout.party(party) + BlockLayout.released, as: UInt32.self) == 1
  }

  /// Says that `party` touches nothing of the guest any more: its locks are given up, its I/O has ended.
  public func release(_ party: Party) {
    region.atomicStore(UInt32(1), at: BlockLayout.party(party) + BlockLayout.released)
    announce()
  }

  /// When `party` last said that it lives, on the monotonic clock; 0 for never.
  public func heartbeat(of party: Party) -> UInt64 {
    region.atomicLoad(BlockLayout.party(party) + BlockLayout.heartbeat)
  }

  public func beat(_ party: Party, at time: UInt64) {
    region.atomicStore(time, at: BlockLayout.party(party) + BlockLayout.heartbeat)
  }

  /// Writes down under which numbers `party` holds the guest's descriptors: manifest, checkpoint, slots. From
  /// then on a recovery can copy them out of it.
  public func holdDescriptors(_ party: Party, numbers: [Int32]) {
    precondition(numbers.count <= BlockLayout.descriptorLimit, "a manifest has a limit of slots")
    let base = BlockLayout.party(party)
    for (index, number) in numbers.enumerated() {
      region.store(number, at: base + BlockLayout.descriptors + UInt64(index) * 4)
    }
    region.atomicStore(UInt32(numbers.count), at: base + BlockLayout.descriptorCount)
  }

  /// The numbers that `party` has written down; empty before it holds all of them.
  public func heldDescriptors(of party: Party) -> [Int32] {
    let base = BlockLayout.party(party)
    let count = Int(region.atomicLoad(base + BlockLayout.descriptorCount, as: UInt32.self))
    guard count <= BlockLayout.descriptorLimit else { return [] }
    return (0..<count).map { region.load(base + BlockLayout.descriptors + UInt64($0) * 4) }
  }

  /// In place of a reason's length: no length is as large.
  private static let isBeingWritten = UInt32.max

  /// Says why `party` gave up; the first reason stays.
  public func explain(_ party: Party, _ reason: Reason) {
    let base = BlockLayout.reason(party)
    let text = ReasonText(reason, limit: BlockLayout.reasonLimit)
    if text.bytes.isEmpty { return }
    // Taken first: a coordinator and an abort may both be about to write here.
    let claim = region.atomicCompareExchange(base, expected: UInt32(0), desired: Self.isBeingWritten)
    guard claim.exchanged else { return }
    region.copy(text.bytes, to: base + 4)
    region.store(reason.code?.rawValue ?? 0, at: base + BlockLayout.reasonCode)
    region.store(text.sentence, at: base + BlockLayout.sentence)
    region.atomicStore(UInt32(text.bytes.count), at: base)
  }

  /// Why `party` gave up; nil where it has not said so.
  public func reason(of party: Party) -> Reason? {
    let base = BlockLayout.reason(party)
    let count = Int(region.atomicLoad(base, as: UInt32.self))
    guard count > 0, count <= BlockLayout.reasonLimit else { return nil }
    let text = ReasonText(
      bytes: region.bytes(at: base + 4, count: count), sentence: region.load(base + BlockLayout.sentence))
    return text.reason(code: ReasonCode(rawValue: region.load(base + BlockLayout.reasonCode)))
  }
}

extension ControlBlock {
  /// Who may run the guest by this block; nil while it is not decided.
  public var owner: ProcessIdentity? {
    switch state {
    case .resumed: identity(of: .source)
    case .destination: identity(of: .destination)
    case .none, .destVerify, .source, .successor: nil
    }
  }
}
