internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// Ends a VM, in whatever state it is.
struct VMStopper {
  /// Between two looks, in nanoseconds.
  private static let pollInterval: UInt64 = 20_000_000
  /// How much longer than for somebody who hangs a coordinator may take to call off what it does, in nanoseconds.
  private static let callOffMargin: UInt64 = 2_000_000_000

  let limits: HandoffLimits
  let now: () -> UInt64

  /// How long a coordinator may take to call off what it does, in nanoseconds: longer than it waits for somebody who
  /// hangs.
  private var callOffLimit: UInt64 { limits.settle + Self.callOffMargin }

  /// Ends it, and returns when nothing of it is left.
  ///
  /// - Throws: `VMError` where a process cannot be ended, or is not known; it says which.
  func stop(_ folder: borrowing VMFolder) throws(VMError) {
    try VMClient.checkIsNoCopy(folder)
    // Read while the folder is there. A VMM puts back what it may by itself, and that is not all.
    let taps = TapNote(in: folder).trusted(in: folder)
    var helpers = Helpers()
    try bringToEnd(folder, &helpers)
    try endLeft(helpers, of: folder)
    taps.restoreAll()
  }

  private func bringToEnd(_ folder: borrowing VMFolder, _ helpers: inout Helpers) throws(VMError) {
    let deadline = now() + VMClient.stopLimit
    while now() < deadline {
      // A VMM that is told to stop removes its folder itself.
      if folder.isRemoved { return }
      helpers.note(Self.remains(of: folder))
      switch Self.look(at: folder) {
      case .owned(let owner):
        // One that a signal has stopped hears nothing.
        if Self.isOwnerStopped(folder) { return try end(folder) }
        if Self.askToStop(folder) != .nobody, owner.waitForExit(timeout: VMClient.stopLimit / 4) { continue }
        // One that does not answer is ended all the same.
        return try end(folder)
      case .unreadable, .hidden:
        // Whoever answers has the guest, whatever its files say and whatever can be seen of it.
        if Self.askToStop(folder) == .ended { break }
        // One that does not end is ended; but a VM that is being started has no block yet, and its starter the lock.
        if Self.hasBlocks(folder) { return try end(folder) }
        if try isEndedAlone(folder) { return }
      case .preparing:
        // A handoff that has not come to its stun is called off by the source itself.
        if Self.askToStop(folder) != .nobody {
          // One that a signal has stopped listens, and will call nothing off.
          if Self.isSourceStopped(folder) { return try end(folder) }
          continue
        }
        if try isEndedAlone(folder) { return }
      case .undecided, .nobody:
        // A coordinator that is at work may bring forth an owner; without one nobody does.
        if try isEndedAlone(folder) { return }
      }
      MonotonicClock.sleep(Self.pollInterval)
    }
    try end(folder)
  }

  /// What the blocks say of who is to be told.
  private enum Look {
    case owned(VMClient.Owner)
    /// Somebody has it who cannot be seen from here, or whom no control block names.
    case hidden
    /// A handoff is under way, and its guest runs.
    case preparing
    case undecided
    /// Nobody runs it, or can.
    case nobody
    /// The newest block cannot be used, or none is there.
    case unreadable
  }

  private static func look(at folder: borrowing VMFolder) -> Look {
    guard let ownership = try? VMClient.ownership(of: folder) else { return .unreadable }
    switch ownership {
    case .owner(let owner): return .owned(owner)
    case .hidden: return .hidden
    case .undecided:
      let block = try? VMClient.newestBlock(of: folder)
      return block?.time(of: .stunned) == 0 ? .preparing : .undecided
    case .nobody:
      return (try? VMClient.newestBlock(of: folder)) == nil ? .unreadable : .nobody
    }
  }

  private static func isOwnerStopped(_ folder: borrowing VMFolder) -> Bool {
    ((try? VMClient.newestBlock(of: folder)) ?? nil)?.owner?.isStopped == true
  }

  private static func isSourceStopped(_ folder: borrowing VMFolder) -> Bool {
    (try? VMClient.newestBlock(of: folder))?.identity(of: .source)?.isStopped == true
  }

  private static func hasBlocks(_ folder: borrowing VMFolder) -> Bool {
    !remains(of: folder).isEmpty
  }

  /// Ends it where no coordinator is at work, or one that hangs; false where one is to be waited for.
  private func isEndedAlone(_ folder: borrowing VMFolder) throws(VMError) -> Bool {
    // A lock file that cannot be locked is in nobody's way.
    var held: Owned<VMLock>?
    if let attempt = try? VMLock.attempt(in: folder.directory) {
      switch consume attempt {
      case .taken(let lock): held = Owned(lock)
      case .held(let holder): if !isHung(holder, folder) { return false }
      }
    }
    defer { _ = held }
    try end(folder)
    return true
  }

  /// Ends every process that is known of the VM, and removes what is left of it.
  private func end(_ folder: borrowing VMFolder) throws(VMError) {
    try endAll(of: folder)
    if !folder.isRemoved { try Self.clear(folder) }
  }

  private static func clear(_ folder: borrowing VMFolder) throws(VMError) {
    try VMClient.checkIsGone(folder)
    VMClient.forgetReservation(folder)
    let left = folder.remove()
    if left.isEmpty { return }
    throw VMError(.other, "\(folder.name) is stopped, but \(left.sentence)")
  }

  /// What became of the wish that the VM may end.
  private enum Asked {
    case nobody
    /// Somebody listens, and has not ended.
    case taken
    case ended
  }

  private static func askToStop(_ folder: borrowing VMFolder) -> Asked {
    guard
      let socket = try? UnixSocket.connect(
        in: folder.directory, name: VMFiles.socket, timeout: VMClient.answerLimit),
      (try? socket.send(ControlVerb.stop.encoded)) != nil
    else { return .nobody }
    // It answers by its end.
    do throws(SystemError) {
      let isEnd =
        try socket.receive(limit: 16, maximumDescriptors: 0, timeout: VMClient.stopLimit / 4) == nil
      return isEnd ? .ended : .taken
    } catch { return error.isBrokenPipe ? .ended : .taken }
  }

  /// Whether whoever is at work on the VM does not go on: a signal has stopped it, or it has not said for long that it
  /// lives. Who starts a VM says that once only, and is waited for.
  private func isHung(_ holder: VMLock.Holder?, _ folder: borrowing VMFolder) -> Bool {
    let isLate = { (heartbeat: UInt64) in now() > heartbeat &+ limits.settle }
    guard let holder else {
      guard let block = try? VMClient.newestBlock(of: folder), !block.state.isDecided else { return false }
      return isLate(block.heartbeat(of: .coordinator))
    }
    if holder.namespace.isOwn, holder.identity.isStopped { return true }
    return Self.hasBlocks(folder) && isLate(holder.heartbeat)
  }
}

/// Ending it by force.
extension VMStopper {
  /// Ends all processes that are left of a VM that is to end: coordinators first, so that none starts a successor.
  private func endAll(of folder: borrowing VMFolder) throws(VMError) {
    // Whoever coordinates and lives to tell it says why.
    (try? VMClient.newestBlock(of: folder))?.explain(.coordinator, HandoffReport.vmStops)
    for block in Self.remains(of: folder) {
      for identity in Self.known(.coordinator, in: block) {
        try Self.end(identity, of: folder, calledOffWithin: callOffLimit)
      }
    }
    // Looked at anew: one of them may have started a successor before.
    for block in Self.remains(of: folder) {
      for party in [Party.coordinator, .source, .destination] {
        for identity in Self.known(party, in: block) { try Self.end(identity, of: folder) }
      }
    }
    for identity in Self.machines(of: folder) { try Self.end(identity, of: folder) }
  }

  /// Processes that belong to a VMM beside the one that answers for it, as far as blocks have named them.
  private struct Helpers {
    var identities: [ProcessIdentity] = []

    mutating func note(_ blocks: [BlockRemains]) {
      for block in blocks {
        for party in [Party.source, .destination] {
          for identity in VMStopper.known(party, in: block).dropFirst() where !identities.contains(identity) {
            identities.append(identity)
          }
        }
      }
    }
  }

  /// Ends those of `helpers` that a VMM has left behind which has ended in order; they have as long for it as a loser has.
  private func endLeft(_ helpers: Helpers, of folder: borrowing VMFolder) throws(VMError) {
    let deadline = now() + limits.reap
    for identity in helpers.identities {
      guard let process = try? ProcessDescriptor.open(identity) else { continue }
      let rest = max(deadline, now()) - now()
      if (try? process.waitForExit(timeout: rest)) != true { try Self.end(identity, of: folder) }
    }
  }

  private static func remains(of folder: borrowing VMFolder) -> [BlockRemains] {
    guard let blocks = try? folder.blocks() else { return [] }
    return (try? blocks.remains()) ?? []
  }

  /// Every process of the party. A number of another namespace is somebody else's here.
  private static func known(_ party: Party, in block: BlockRemains) -> [ProcessIdentity] {
    block.namespace(of: party).isOwn ? block.identities(of: party) : []
  }

  /// The processes that have the VM's folder open and were started as VMMs of its name: whatever becomes of the folder's
  /// files, they stay.
  private static func machines(of folder: borrowing VMFolder) -> [ProcessIdentity] {
    ((try? folder.directory.holders()) ?? []).filter {
      VMMArguments.isVMM($0.arguments, of: folder.name)
    }.map(\.identity)
  }

  /// - Parameter timeout: nanoseconds that it has to end in order.
  private static func end(
    _ identity: ProcessIdentity, of folder: borrowing VMFolder, calledOffWithin timeout: UInt64 = 0
  ) throws(VMError) {
    guard identity != ProcessIdentity.current(), let process = try? ProcessDescriptor.open(identity) else {
      return
    }
    do throws(HandoffError) {
      try EndingRight.check(process, identity, in: folder.directory, of: folder.name)
    } catch { throw VMError(.refused, error.description) }
    // One that a signal has stopped cannot end in order.
    if timeout > 0, !identity.isStopped {
      _ = try? process.signal(SignalNumber.terminate)
      if (try? process.waitForExit(timeout: timeout)) == true { return }
    }
    _ = try? process.signal(SignalNumber.kill)
    guard (try? process.waitForExit(timeout: VMClient.stopLimit)) == true else {
      throw VMClient.survivor(identity, of: folder.name)
    }
  }
}
