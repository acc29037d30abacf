internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRState
internal import FSRSystem
internal import Logging
internal import Synchronization

/// How the guest of this process ends, or is started anew. Clients are answered all the while.
extension ReferenceVMM {
  /// How far a guest's new start has come.
  enum Restart {
    case none, underWay
    /// It cannot be, or the VM ends.
    case impossible
  }

  /// How far the end of a guest that has ended itself has come.
  enum Ended {
    case no
    /// Its last words are being written.
    case underWay
    /// The folder says that it has ended.
    case toldOf
  }

  /// How long the reader of the console may take nothing while the last words of a guest wait, in nanoseconds.
  private static let lastWords: UInt64 = 5_000_000_000

  /// Looks whether guest or VM have come to their end, and does the next thing for that; true when this process is to end.
  func isAtEnd() -> Bool {
    switch ended.withLock({ $0 }) {
    // Somebody who wants it stopped cuts its last words short.
    case .underWay: return false
    case .toldOf:
      leaveFolder()
      return true
    case .no: break
    }
    if isStopping.isUp, endHandoff(HandoffReport.vmStops) {
      stopGuest(removing: true)
      return true
    }
    guard ending.value != nil, courseOfGuest() == .ends, endHandoff(HandoffReport.guestEnds), closeHandoffs()
    else { return false }
    let body: @Sendable () -> Void = { [self] in
      endGuest()
      ended.withLock { $0 = .toldOf }
      wakeLoop()
    }
    if (try? OSThread.start(name: "ending", detached: true, body)) == nil { body() }
    return false
  }

  /// How the guest has ended itself, once that is told of; nil where the VM was stopped.
  var toldEnd: GuestEnd? {
    if case .toldOf = ended.withLock({ $0 }) { return ending.value }
    return nil
  }

  /// Ends the VM: its guest stands for good.
  func stopGuest(removing: Bool) {
    stopAccepting()
    haltGuest()
    // Whoever asked for it looks whether it is gone.
    guard removing else { return }
    removeOwnSwap()
    guest.folder.value.removeIfWhole()
  }

  private func haltGuest() {
    restart.withLock { $0 = .impossible }
    // A hart that waits for a page that nobody can bring in ends without it.
    guest.threads.end(unblocking: { guest.paging?.abandon() }, after: Self.requestLimit)
    guest.paging?.closeSwap()
    guest.drain.stop()
    guest.pump.stop()
    guest.load.stop()
    guest.ports.end(TapNote(in: guest.folder.value))
    guest.drain.drain()
    endReservation()
  }

  private func endGuest() {
    guard let end = ending.value else { return }
    haltGuest()
    guest.drain.finish(timeout: Self.lastWords) { !isStopping.isUp }
    guest.console.end = end
    log.notice("the guest has ended: \(end.text)")
    tellResets { resets.rest(at: MonotonicClock.now()) }
    append(own("ended", reason: end.text))
    // Written down before this process leaves, so that nobody calls the VM lost.
    do { try guest.folder.value.writeEnded(end) } catch {
      log.error("cannot write down the guest's end: \(error)")
    }
  }

  /// The last thing after a guest's own end.
  private func leaveFolder() {
    stopAccepting()
    if isStopping.isUp { return guest.folder.value.removeIfWhole() }
    try? guest.folder.value.directory.unlink(VMFiles.socket)
    guest.folder.value.removeBlocks()
  }

  // MARK: a new start

  enum Course {
    case goesOn, ends
  }

  /// How long until the next try, in nanoseconds; nil where no reset waits for one.
  var resetRetry: UInt64? {
    isBeingReset && restart.withLock { $0 == .none } ? Self.resetInterval : nil
  }

  private static let resetInterval: UInt64 = 50_000_000

  /// Whether the guest has asked for a reset, and that can be served.
  var isBeingReset: Bool { ending.value.map(isServedReset) ?? false }

  /// Whether the guest has come to its end for good.
  var hasEndedForGood: Bool { ending.value.map { !isServedReset($0) } ?? false }

  /// Whether `end` is a reset that can be served. Of an end that was read once: a reset that is done forgets it.
  private func isServedReset(_ end: GuestEnd) -> Bool {
    // A page that nobody brings in is waited for in vain.
    let isHopeless = missingPage.withLock { $0 != nil }
    return end == .reset && guest.canRestart && !isHopeless && restart.withLock { $0 != .impossible }
  }

  /// What becomes of a guest that may have ended itself: one that has asked for a reset is started anew, by a thread of its
  /// own, since a hart that is to stand and the reset itself may wait for pages. A handoff under way goes on: its switch
  /// waits for the guest's start.
  private func courseOfGuest() -> Course {
    guard let end = ending.value else { return .goesOn }
    guard isServedReset(end) else { return .ends }
    return restart.withLock { state in
      switch state {
      case .impossible: return .ends
      case .underWay: return .goesOn
      case .none:
        // Started anew since it was asked.
        if ending.value == nil { return .goesOn }
        do throws(SystemError) {
          _ = try OSThread.start(name: "reset", detached: true) { [self] in
            if !restartGuest() { restart.withLock { $0 = .impossible } }
            wakeLoop()
          }
          state = .underWay
        } catch {
          // Tried again: the guest stands meanwhile, and loses nothing.
          if !isShortOfThreads.exchange(true, ordering: .relaxed) {
            log.error("the guest cannot be reset yet, which is tried again and again: \(error)")
          }
        }
        return .goesOn
      }
    }
  }

  /// False where that cannot be, or the VM ends.
  private func restartGuest() -> Bool {
    var outcome = VCPUThreads.RestartOutcome.late
    while outcome == .late, restart.withLock({ $0 == .underWay }) {
      outcome = guest.threads.restart(limit: Self.requestLimit) {
        do { try guest.restart() } catch {
          log.error("the guest cannot be started anew: \(error)")
          return false
        }
        return restart.withLock { state in
          if state != .underWay { return false }
          // Before a hart runs: the new guest may end at once, or be handed over.
          state = .none
          isShortOfThreads.store(false, ordering: .relaxed)
          ending.clear()
          resets.note(at: MonotonicClock.now())
          return true
        }
      }
    }
    guard outcome == .done else { return false }
    tellResets { resets.due(at: MonotonicClock.now()) }
    return true
  }
}
