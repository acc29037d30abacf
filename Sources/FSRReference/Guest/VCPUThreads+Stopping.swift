package import FSRHost
internal import FSRMachine
internal import FSRService
internal import FSRSystem
internal import Synchronization

/// Stopping the vCPUs and letting them go on, from any thread. What that means is the gate's; who closes it asks those
/// inside to come out, always behind that.
extension VCPUThreads {
  /// Has a vCPU look at the gate. One that need not have been asked finds it open, and goes on.
  func ask(_ vcpu: Int) {
    machine.withLock { $0 }?.lines(of: vcpu).stop.store(1, ordering: .releasing)
    wake(hart: vcpu)
  }

  func askAll() { machine.withLock { $0 }?.requestStop() }

  package var hasGuestEnded: Bool { gate.now.reasons.contains(.ended) }

  package var isPaused: Bool { gate.now.isPaused }

  // MARK: for a handoff

  /// Asks every vCPU to stop; the thread that arrives last runs `body`.
  package func stop(_ body: @escaping @Sendable () -> Void) {
    switchover.withLock { $0 = Callback(body) }
    let asked = gate.perform { $0.askToStop() }.answer
    if asked.contains(.others) { for vcpu in 1..<vcpus { ask(vcpu) } }
    if asked.contains(.first) { ask(0) }
    if asked.contains(.standing) { gate.wake() }
  }

  /// Takes a stop back that has not come to its switchover; false when that has begun.
  package func cancelStop() -> Bool {
    let isCancelled = gate.perform { $0.cancelStop() }.answer
    if isCancelled { switchover.withLock { $0 = nil } }
    return isCancelled
  }

  /// Lets all vCPUs run, unless the guest is paused or has ended itself.
  package func resume() {
    gate.perform { $0.resume() }
    gate.wake()
  }

  // MARK: pausing

  /// Stops all vCPUs until `unpause`, handoffs included; returns when they stand.
  ///
  /// - Parameter limit: nanoseconds that the vCPUs may take.
  package func pause(limit: UInt64) -> PauseAnswer {
    if let obstacle = gate.perform({ $0.pause() }).answer { return obstacle }
    askAll()
    if waitUntilParked(limit: limit) { return .done }
    gate.perform { $0.forgoPause() }
    gate.wake()
    return .late
  }

  /// Lets no vCPU begin anything new until `unpause`; one that waits for the page stays where it is.
  func pauseForPage() {
    gate.perform { $0.pauseForPage() }
    askAll()
  }

  /// Lets the vCPUs of a paused guest run again.
  package func unpause() -> PauseAnswer {
    if let obstacle = gate.perform({ $0.unpause() }).answer { return obstacle }
    gate.wake()
    return .done
  }

  /// How a guest comes out of a handoff: as it went in. Only before any vCPU runs.
  func restorePaused(_ isPaused: Bool) { gate.perform { $0.restorePaused(isPaused) } }

  /// Whether every vCPU stood still within `limit` nanoseconds.
  private func waitUntilParked(limit: UInt64) -> Bool {
    let deadline = MonotonicClock.now() &+ limit
    while true {
      let now = gate.now
      if now.areAllParked { return true }
      if now.isOver || MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(Self.pollInterval)
    }
  }

  // MARK: starting anew, and ending

  package enum RestartOutcome: Sendable {
    case done
    /// Not all vCPUs stand yet, though they were told to: one may wait for a page that a disk is slow with.
    case late
    /// The guest had not ended, or could not be reset.
    case failed
  }

  /// Starts a guest that has ended itself anew: `reset` is done when all vCPUs stand. Until it is done the guest stays
  /// ended, and no handoff's switch is made; one that waits for it is made then, of a guest at its start.
  ///
  /// - Parameter limit: nanoseconds that the vCPUs may take.
  package func restart(limit: UInt64, _ reset: () -> Bool) -> RestartOutcome {
    guard hasGuestEnded else { return .failed }
    guard waitUntilParked(limit: limit) else { return .late }
    guard reset() else { return .failed }
    gate.perform { $0.restart() }
    gate.wake()
    return .done
  }

  /// Sends all threads home, and waits for them. No vCPU runs afterwards.
  ///
  /// - Parameters:
  ///   - body: done when all threads have ended, or have not within `limit` nanoseconds.
  package func end(unblocking body: () -> Void = {}, after limit: UInt64 = 0) {
    gate.perform { $0.end() }
    askAll()
    gate.wake()
    let deadline = MonotonicClock.now() &+ limit
    while gone.load(ordering: .acquiring) < threads.withLock({ $0.count }), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(Self.pollInterval)
    }
    body()
    let all = threads.withLock { threads in
      let old = threads
      threads = []
      return old
    }
    for thread in all { thread.join() }
  }
}
