internal import FSRHandoff
public import FSRHost
internal import FSRMemory
internal import FSRSystem

/// Ending a VM, in whatever state it is.
extension VMClient {
  /// Between two looks, in nanoseconds.
  private static let stopLook: UInt64 = 20_000_000
  /// How long a coordinator may take to call off what it does, in nanoseconds: longer than it waits for somebody who
  /// hangs.
  private static let callOffLimit: UInt64 = 5_000_000_000

  /// Ends the VM, whatever state it and its files are in, and returns when nothing of it is left.
  ///
  /// - Throws: `VMError` where a process cannot be ended, or is not known; it says which.
  public static func stop(_ folder: borrowing VMFolder) throws(VMError) {
    try checkIsNoCopy(folder)
    // Read while the folder is there. A VMM puts back what it may by itself, and that is not all.
    let taps = TapNote(in: folder).trusted(in: folder)
    try bringToEnd(folder)
    taps.restoreAll()
  }

  private static func bringToEnd(_ folder: borrowing VMFolder) throws(VMError) {
    let deadline = MonotonicClock.now() + stopLimit
    while MonotonicClock.now() < deadline {
      // A VMM that is told to stop removes its folder itself.
      if folder.isRemoved { return }
      switch look(at: folder) {
      case .owned(let owner):
        // One that a signal has stopped hears nothing.
        if isOwnerStopped(folder) { return try end(folder) }
        if askToStop(folder) != .nobody, owner.waitForExit(timeout: stopLimit / 4) { continue }
        // One that does not answer is ended all the same.
        return try end(folder)
      case .unreadable, .hidden:
        // Whoever answers has the guest, whatever its files say and whatever can be seen of it.
        if askToStop(folder) == .ended { break }
        // One that does not end is ended; but a VM that is being started has no block yet, and its starter the lock.
        if hasBlocks(folder) { return try end(folder) }
        if try isEndedAlone(folder) { return }
      case .preparing:
        // A handoff that has not come to its stun is called off by the source itself.
        if askToStop(folder) != .nobody {
          // One that a signal has stopped listens, and will call nothing off.
          if isSourceStopped(folder) { return try end(folder) }
          continue
        }
        if try isEndedAlone(folder) { return }
      case .undecided, .nobody:
        // A coordinator that is at work may bring forth an owner; without one nobody does.
        if try isEndedAlone(folder) { return }
      }
      MonotonicClock.sleep(stopLook)
    }
    try end(folder)
  }

  /// What the blocks say of who is to be told.
  private enum Look {
    case owned(Owner)
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
    guard let ownership = try? ownership(of: folder) else { return .unreadable }
    switch ownership {
    case .owner(let owner): return .owned(owner)
    case .hidden: return .hidden
    case .undecided:
      let block = try? newestBlock(of: folder)
      return block?.time(of: .stunned) == 0 ? .preparing : .undecided
    case .nobody:
      return (try? newestBlock(of: folder)) == nil ? .unreadable : .nobody
    }
  }

  private static func isOwnerStopped(_ folder: borrowing VMFolder) -> Bool {
    ((try? newestBlock(of: folder)) ?? nil)?.owner?.isStopped == true
  }

  private static func isSourceStopped(_ folder: borrowing VMFolder) -> Bool {
    (try? newestBlock(of: folder))?.identity(of: .source)?.isStopped == true
  }

  private static func hasBlocks(_ folder: borrowing VMFolder) -> Bool {
    !remains(of: folder).isEmpty
  }

  /// Ends it where no coordinator is at work, or one that hangs; false where one is to be waited for.
  private static func isEndedAlone(_ folder: borrowing VMFolder) throws(VMError) -> Bool {
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
  private static func end(_ folder: borrowing VMFolder) throws(VMError) {
    try endAll(of: folder)
    if !folder.isRemoved { try clear(folder) }
  }

  private static func clear(_ folder: borrowing VMFolder) throws(VMError) {
    try checkIsGone(folder)
    forgetReservation(folder)
    let left = folder.remove()
    if left.isEmpty { return }
    throw VMError(.other, "\(folder.name) is stopped, but \(left.sentence)")
  }

  /// The VM is no more: nobody of it lives. A ledger that cannot be changed keeps a record that is free to take.
  static func forgetReservation(_ folder: borrowing VMFolder) {
    guard let reservation = try? VMReservation(of: folder), let record = try? reservation.record() else {
      return
    }
    try? reservation.remove(machine: record.machine)
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
      let socket = try? UnixSocket.connect(in: folder.directory, name: VMFiles.socket, timeout: answerLimit),
      (try? socket.send(ControlVerb.stop.encoded)) != nil
    else { return .nobody }
    // It answers by its end.
    do throws(SystemError) {
      let isEnd = try socket.receive(limit: 16, maximumDescriptors: 0, timeout: stopLimit / 4) == nil
      return isEnd ? .ended : .taken
    } catch { return error.isBrokenPipe ? .ended : .taken }
  }

  /// Whether whoever is at work on the VM does not go on: a signal has stopped it, or it has not said for long that it
  /// lives. Who starts a VM says that once only, and is waited for.
  private static func isHung(_ holder: VMLock.Holder?, _ folder: borrowing VMFolder) -> Bool {
    let isLate = { (heartbeat: UInt64) in MonotonicClock.now() > heartbeat &+ HandoffLimits().settle }
    guard let holder else {
      guard let block = try? newestBlock(of: folder), !block.state.isDecided else { return false }
      return isLate(block.heartbeat(of: .coordinator))
    }
    if holder.namespace.isOwn, holder.identity.isStopped { return true }
    return hasBlocks(folder) && isLate(holder.heartbeat)
  }

  // MARK: by force

  /// Ends whoever is left of a VM that is to end: coordinators first, so that none starts a successor.
  private static func endAll(of folder: borrowing VMFolder) throws(VMError) {
    // Whoever coordinates and lives to tell it says why.
    (try? newestBlock(of: folder))?.explain(.coordinator, HandoffReport.vmStops)
    for block in remains(of: folder) {
      try end(known(.coordinator, in: block), of: folder, calledOffWithin: callOffLimit)
    }
    // Looked at anew: one of them may have started a successor before.
    for block in remains(of: folder) {
      for party in [Party.coordinator, .source, .destination] {
        try end(known(party, in: block), of: folder, calledOffWithin: 0)
      }
    }
    for identity in machines(of: folder) { try end(identity, of: folder, calledOffWithin: 0) }
  }

  private static func remains(of folder: borrowing VMFolder) -> [BlockRemains] {
    guard let blocks = try? folder.blocks() else { return [] }
    return (try? blocks.remains()) ?? []
  }

  /// A number of another namespace is somebody else's here.
  private static func known(_ party: Party, in block: BlockRemains) -> ProcessIdentity? {
    block.namespace(of: party).isOwn ? block.identity(of: party) : nil
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
    _ identity: ProcessIdentity?, of folder: borrowing VMFolder, calledOffWithin timeout: UInt64
  ) throws(VMError) {
    guard let identity, identity != ProcessIdentity.current(),
      let process = try? ProcessDescriptor.open(identity)
    else { return }
    do throws(HandoffError) {
      try EndingRight.check(process, identity, in: folder.directory, of: folder.name)
    } catch { throw VMError(.refused, error.description) }
    // One that a signal has stopped cannot end in order.
    if timeout > 0, !identity.isStopped {
      _ = try? process.signal(SignalNumber.terminate)
      if (try? process.waitForExit(timeout: timeout)) == true { return }
    }
    _ = try? process.signal(SignalNumber.kill)
    guard (try? process.waitForExit(timeout: stopLimit)) == true else {
      throw VMClient.survivor(identity, of: folder.name)
    }
  }
}

extension VMClient {
  /// Of a process that was killed and stays: the kernel has it wait.
  static func survivor(_ process: ProcessIdentity, of name: String) -> VMError {
    VMError(
      .other,
      "process \(process.pid) of \(name) was killed and has not ended: the kernel has it wait, for a disk mostly, or it is "
        + "frozen; `ps -o pid,stat,wchan:32 -p \(process.pid)` shows for what, and `fsr stop \(name)` goes on once that is over"
    )
  }

  /// Why a VM is not there any more that a command was about: its guest has ended, or it was stopped; nil where it is.
  public static func departure(of folder: borrowing VMFolder) -> VMError? {
    do throws(VMError) {
      try folder.checkGuestIsThere()
      if !folder.isRemoved, try newestBlock(of: folder) != nil { return nil }
    } catch { return error.kind == .noSuchVM ? error : nil }
    return absence(of: folder)
  }
}
