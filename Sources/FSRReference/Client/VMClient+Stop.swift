internal import FSRHandoff
internal import FSRMemory
internal import FSRSystem

/// Ending a VM, in whatever state it is.
extension VMClient {
  /// Ends the VM, whatever state it is in, and returns when nothing of it is left.
  ///
  /// - Throws: `VMError` where a process cannot be ended, or a coordinator works on for too long.
  public static func stop(_ folder: borrowing VMFolder) throws(VMError) {
    let late = MonotonicClock.now() + stopLimit
    while MonotonicClock.now() < late {
      // A VMM that is told to stop removes its folder itself.
      if folder.isRemoved { return }
      if let owner = try owner(of: folder) {
        if askToStop(folder), owner.waitForExit(timeout: stopLimit / 4) { continue }
        // One that does not answer is ended all the same.
        break
      }
      // Whom nobody sees hears all the same.
      if case .hidden = try ownership(of: folder), askToStop(folder) { continue }
      // A handoff that has not come to its stun is called off by the source itself.
      if let block = try newestBlock(of: folder), !block.state.isDecided, block.time(of: .stunned) == 0,
        askToStop(folder)
      {
        continue
      }
      // A coordinator that is at work may bring forth an owner; without one nobody does.
      if let lock = try takeLock(folder) {
        defer { _ = lock }
        try endAll(of: folder)
        return try clear(folder)
      }
      if try isCoordinatorHung(folder) { break }
      _ = try? Poller().wait(timeout: 20_000_000)
    }
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

  /// Whether a VMM has taken the wish.
  private static func askToStop(_ folder: borrowing VMFolder) -> Bool {
    guard
      let socket = try? UnixSocket.connect(in: folder.directory, name: VMFiles.socket, timeout: answerLimit),
      (try? socket.send(ControlRequest.stop.encoded)) != nil
    else { return false }
    // It answers by its end.
    let answer = try? socket.receive(limit: 16, maximumDescriptors: 0, timeout: stopLimit / 4)
    _ = consume answer
    return true
  }

  private static func takeLock(_ folder: borrowing VMFolder) throws(VMError) -> Owned<VMLock>? {
    do throws(HandoffError) {
      switch try VMLock.attempt(in: folder.directory) {
      case .taken(let lock): return Owned(lock)
      case .held: return nil
      }
    } catch { throw VMError(error) }
  }

  /// Whether the coordinator of the newest block has not said for long that it lives.
  private static func isCoordinatorHung(_ folder: borrowing VMFolder) throws(VMError) -> Bool {
    guard let block = try newestBlock(of: folder), !block.state.isDecided else { return false }
    return MonotonicClock.now() > block.heartbeat(of: .coordinator) &+ HandoffLimits().settle
  }

  /// Kills whoever is left of a VM that is to end: coordinators first, so that none starts a successor.
  private static func endAll(of folder: borrowing VMFolder) throws(VMError) {
    guard let blocks = try? folder.blocks() else { return }
    for attempt in (try? blocks.attempts()) ?? [] {
      guard let block = try? blocks.open(attempt) else { continue }
      for party in [Party.coordinator, .source, .destination] {
        // A number of another namespace is somebody else's here.
        guard block.namespace(of: party).isOwn, let identity = block.identity(of: party),
          identity != ProcessIdentity.current(),
          let process = try? ProcessDescriptor.open(identity)
        else { continue }
        do throws(HandoffError) {
          try EndingRight.check(process, identity, in: folder.directory, of: folder.name)
        } catch { throw VMError(.refused, error.description) }
        _ = try? process.signal(SignalNumber.kill)
        guard (try? process.waitForExit(timeout: stopLimit)) == true else {
          throw VMError(
            .other, "process \(identity.pid) of \(folder.name) cannot be ended; look at it with ps")
        }
      }
    }
  }
}
