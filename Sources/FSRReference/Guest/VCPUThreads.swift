package import FSRHost
package import FSRMachine
internal import FSRService
package import FSRState
package import FSRSystem
internal import Synchronization

/// A host thread for every hart: started once, parked whenever the guest must not run.
package final class VCPUThreads: WakesHarts, StopPlace, Sendable {
  /// Instructions after which a thread looks up by itself.
  private static let budget: UInt64 = 1 << 30
  /// Instructions that a thread runs with the urgency of the switch, before it becomes an ordinary one.
  private static let urgentBudget: UInt64 = 20_000
  /// Nanoseconds between two looks at whether all threads have started.
  private static let startPollInterval: UInt64 = 100_000
  /// How long a thread spins at the gate in a switch, in nanoseconds.
  private static let spinLimit: UInt64 = 200_000
  private static let callerPriority: Int32 = 10
  /// Within a hart's line: 1 while its thread has the urgency of the switch.
  private static let urgencyOffset: UInt64 = 8
  /// How long a parked thread sleeps at most, in nanoseconds.
  private static let sleepLimit: UInt64 = 10_000_000_000

  /// What a stop in progress has come to.
  private enum Stop: UInt32 {
    case none, asked, switching, cancelled
  }
  /// The stop's state in its word; the bits above count the stops, so that whoever looked at one begins no later one.
  private static let stateMask: UInt32 = 3
  private static let nextStop: UInt32 = 4

  /// Why the guest must not run. The gate is open while there is no reason.
  struct Holds: OptionSet {
    let rawValue: UInt8
    /// Not started yet, or stopped for a handoff.
    static let stopped = Holds(rawValue: 1)
    static let paused = Holds(rawValue: 2)
    /// It has ended itself.
    static let ended = Holds(rawValue: 4)
    /// By the VMM itself: a page cannot be brought in.
    static let page = Holds(rawValue: 8)
  }

  /// A cache line per hart with its futex, and one for the gate: open where bit 0 is set; the others count
  /// closings, so that nobody falls asleep over one.
  private let words: MappedRegion
  private let gate: UInt64
  package let harts: Int
  private let clock: HostClock
  private let meters: VCPUMeters
  /// The processors that harts may run on.
  let placement: GuestPlacement
  private let machine = Mutex<Machine?>(nil)
  private let threads = Mutex<[OSThread]>([])
  /// Of each hart's thread, and of the one that prepares a switch.
  private let urgencies: [Urgency]
  private let callersUrgency = Urgency()
  /// How each thread was scheduled when it was made.
  private let natural = Mutex<[Int: ThreadStanding]>([:])
  private let arrived = Atomic<Int>(0)
  private let ready = Atomic<Int>(0)
  /// Threads that have ended.
  private let gone = Atomic<Int>(0)
  /// Threads that sleep at the gate, or are about to.
  private let sleepers = Atomic<Int>(0)
  private let stop = Atomic<UInt32>(Stop.none.rawValue)
  private let isOver = OneWayFlag()
  private let holds = Mutex(Holds.stopped)
  private let switchover = Mutex<Callback?>(nil)
  private let demoted = Mutex<Callback?>(nil)
  private let ended: @Sendable (GuestEnd) -> Void

  /// - Parameter ended: called on a vCPU thread when the guest ends itself, which then stands still.
  package init(
    meters: VCPUMeters, clock: HostClock, placement: GuestPlacement,
    ended: @escaping @Sendable (GuestEnd) -> Void
  ) throws(SystemError) {
    words = try MappedRegion(anonymous: 8192)
    gate = 4096
    // Touched now: the first store to a new page is a fault, and the next ones come in the switch.
    words.atomicStore(UInt32(0), at: 0)
    words.atomicStore(UInt32(0), at: gate)
    harts = meters.harts
    urgencies = (0..<meters.harts).map { _ in Urgency() }
    self.meters = meters
    self.clock = clock
    self.placement = placement
    self.ended = ended
  }

  // MARK: waking

  private func line(_ hart: Int) -> UInt64 { UInt64(hart) * 64 }

  package func wake(hart: Int) {
    let offset = line(hart)
    while true {
      let seen = words.atomicLoad(offset, as: UInt32.self)
      if words.atomicCompareExchange(offset, expected: seen, desired: seen &+ 1).exchanged { break }
    }
    words.wake(at: offset)
  }

  // MARK: starting

  /// What the threads of a destination do before they may run.
  package struct Switch: Sendable {
    /// Done by the first thread ahead of time, so that in the switch nothing is done there for the first time.
    let rehearse: @Sendable () -> Void
    /// Parks the first thread until it has done the switch; answers whether to run.
    let lead: @Sendable () -> Bool
    /// Parks another thread until the switch begins.
    let follow: @Sendable () -> Void
    /// Done by the first thread as it enters the guest.
    let entered: @Sendable () -> Void
    /// Done by the first thread when it has run a while, and is an ordinary one again.
    let demoted: @Sendable () -> Void
  }

  /// Makes the threads, parked at the gate or, in a destination, for the switch.
  ///
  /// - Parameter standings: how the source's are scheduled, where its VMM has not seen to that.
  package func start(
    machine: Machine, cpus: [any VirtualCPU], switching: Switch? = nil,
    standings: VCPUStandings = VCPUStandings()
  ) throws(SystemError) {
    self.machine.withLock { $0 = machine }
    demoted.withLock { $0 = switching.map { Callback($0.demoted) } }
    for cpu in cpus {
      let thread = try OSThread.start(name: "vcpu\(cpu.hart)") { [self] in
        defer { gone.add(1, ordering: .acquiringAndReleasing) }
        placement.bindThread()
        noteNatural(cpu.hart)
        guard let switching else {
          ready.add(1, ordering: .acquiringAndReleasing)
          run(cpu, machine, isParked: true)
          return
        }
        boostCaller(cpu.hart, returningTo: standings.byHart[cpu.hart])
        if cpu.hart == 0 { switching.rehearse() }
        ready.add(1, ordering: .acquiringAndReleasing)
        if cpu.hart == 0 {
          // Who leads has been let through already, unless the guest comes paused.
          guard switching.lead() else { return }
          switching.entered()
          run(cpu, machine, isParked: isPaused)
        } else {
          follow(switching, cpu.hart)
          run(cpu, machine, isParked: true)
        }
      }
      threads.withLock { $0.append(thread) }
    }
    // Who is told that the guest is prepared may switch at once.
    while ready.load(ordering: .acquiring) < cpus.count { MonotonicClock.sleep(Self.startPollInterval) }
  }

  /// A thread that has a processor to itself is awake by the time the gate opens.
  private func follow(_ switching: Switch, _ hart: Int) {
    guard hart < placement.processors.count else { return }
    switching.follow()
    let deadline = MonotonicClock.now() + Self.spinLimit
    while !isOpen, !isOver.isUp, MonotonicClock.now() < deadline {}
  }

  private func run(_ cpu: any VirtualCPU, _ machine: Machine, isParked: Bool) {
    if isParked { park() }
    while !isOver.isUp {
      // Read before the hart looks at its wires, so that no wake is lost between that look and the sleep.
      let seen = words.atomicLoad(line(cpu.hart), as: UInt32.self)
      meters.enter(cpu.hart)
      let exit = cpu.run(budget: isUrgent(cpu.hart) ? Self.urgentBudget : Self.budget)
      meters.leave(cpu.hart)
      switch exit {
      case .stopped: park()
      case .budget: if isUrgent(cpu.hart) { calm(cpu.hart) }
      case .waiting(let until):
        if isUrgent(cpu.hart) { calm(cpu.hart) }
        sleep(cpu.hart, seen, until)
      case .ended(let end):
        hold(.ended)
        ended(end)
        park()
      }
    }
  }

  private func sleep(_ hart: Int, _ seen: UInt32, _ until: UInt64?) {
    var timeout = Self.sleepLimit
    if let until {
      let due = clock.hostTime(ofTicks: until)
      let now = MonotonicClock.now()
      if due <= now { return }
      timeout = min(timeout, due - now)
    }
    words.wait(at: line(hart), while: seen, timeout: timeout)
  }

  /// Waits at the gate; the last to arrive in a stop does what the stop was for.
  private func park() {
    repeat {
      arrived.add(1, ordering: .sequentiallyConsistent)
      waitAtGate()
      arrived.subtract(1, ordering: .sequentiallyConsistent)
      // Closed since it looked: whoever counts those who stand may have counted it.
    } while !isOpen && !isOver.isUp
  }

  private func waitAtGate() {
    while !isOver.isUp {
      let seen = words.atomicLoad(gate, as: UInt32.self)
      switchOverIfLast()
      if seen & 1 == 1 { return }
      sleepers.add(1, ordering: .sequentiallyConsistent)
      words.wait(at: gate, while: seen, timeout: Self.sleepLimit)
      sleepers.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  private func switchOverIfLast() {
    var arrival = StopArrival()
    var isMine: Bool?
    while isMine == nil { isMine = arrival.step(on: self) }
    guard isMine == true else { return }
    let body = switchover.withLock { body in
      let taken = body
      body = nil
      return taken
    }
    body?()
  }

  // MARK: stopping and going on

  /// Harts that share a processor are stopped together: while one runs on, urgent, another cannot.
  package var isFirstLast: Bool { harts > 1 && harts <= placement.processors.count }

  package var hasGuestEnded: Bool { holds.withLock { $0.contains(.ended) } }

  var isPaused: Bool { holds.withLock { !$0.isDisjoint(with: [.paused, .page]) } }

  package var askedStop: UInt32? {
    let word = stop.load(ordering: .acquiring)
    return word & Self.stateMask == Stop.asked.rawValue ? word : nil
  }

  package var arrivedCount: Int { arrived.load(ordering: .sequentiallyConsistent) }

  package func withHolds(_ body: () -> Void) { holds.withLock { _ in body() } }

  package func askFirst() { askToStop(0) }

  package func begin(_ asked: UInt32) -> Bool {
    stop.compareExchange(
      expected: asked, desired: asked & ~Self.stateMask | Stop.switching.rawValue,
      ordering: .acquiringAndReleasing
    ).exchanged
  }

  private func askToStop(_ hart: Int) {
    machine.withLock { $0 }?.lines(of: hart).stop.store(1, ordering: .releasing)
    wake(hart: hart)
  }

  /// Asks every hart to stop; the thread that arrives last runs `body`.
  package func stop(_ body: @escaping @Sendable () -> Void) {
    switchover.withLock { $0 = Callback(body) }
    holds.withLock { holds in
      holds.insert(.stopped)
      close()
      let former = stop.load(ordering: .relaxed) & ~Self.stateMask
      stop.store(former &+ Self.nextStop | Stop.asked.rawValue, ordering: .releasing)
      // Again: who read the gate before is to look whether it was the last.
      close()
    }
    for hart in (isFirstLast ? 1 : 0)..<harts { askToStop(hart) }
    // Threads that are parked already look whether they were the last.
    words.wake(at: gate)
  }

  /// Takes a stop back that has not come to its deed; false when that has begun.
  package func cancelStop() -> Bool {
    guard let asked = askedStop else { return false }
    let isCancelled = stop.compareExchange(
      expected: asked, desired: asked & ~Self.stateMask | Stop.cancelled.rawValue,
      ordering: .acquiringAndReleasing
    ).exchanged
    if isCancelled { switchover.withLock { $0 = nil } }
    return isCancelled
  }

  /// Lets all harts run, unless the guest is paused or has ended itself.
  package func resume() {
    // Only asking for a stop counts it.
    let word = stop.load(ordering: .relaxed)
    stop.store(word & ~Self.stateMask | Stop.none.rawValue, ordering: .releasing)
    release(.stopped)
  }

  /// Stops all harts for a reason that is not a handoff.
  private func hold(_ reason: Holds) {
    holds.withLock { holds in
      holds.insert(reason)
      close()
      machine.withLock { $0 }?.requestStop()
    }
  }

  /// Takes a reason back.
  private func release(_ reason: Holds) {
    holds.withLock { lift(reason, from: &$0) }
    wakeSleepers()
  }

  /// Takes a reason back, and opens the gate when it was the last.
  private func lift(_ reason: Holds, from holds: inout Holds) {
    holds.remove(reason)
    guard holds.isEmpty else { return }
    machine.withLock { $0 }?.clearStop()
    // Exchanged, not stored: who goes to sleep after it sees the open gate, who went before it is counted.
    let closed = words.atomicLoad(gate, as: UInt32.self)
    _ = words.atomicCompareExchange(gate, expected: closed, desired: closed | 1)
  }

  private var isOpen: Bool { words.atomicLoad(gate, as: UInt32.self) & 1 == 1 }

  /// Only with the holds at hand.
  private func close() { words.atomicStore((words.atomicLoad(gate, as: UInt32.self) &+ 2) & ~1, at: gate) }

  private func wakeSleepers() {
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { words.wake(at: gate) }
  }

  // MARK: pausing

  /// Stops all harts until `unpause`, handoffs included; returns when they stand.
  ///
  /// - Parameter limit: nanoseconds that the harts may take.
  package func pause(limit: UInt64) -> PauseAnswer {
    let obstacle: PauseAnswer? = holds.withLock { holds in
      if let obstacle = Self.obstacle(holds) { return obstacle }
      holds.insert(.paused)
      close()
      machine.withLock { $0 }?.requestStop()
      return nil
    }
    if let obstacle { return obstacle }
    if waitUntilParked(limit: limit) { return .done }
    release(.paused)
    return .late
  }

  /// Lets no hart begin anything new until `unpause`; one that waits for the page stays where it is.
  func pauseForPage() { hold(.page) }

  /// Lets the harts of a paused guest run again.
  package func unpause() -> PauseAnswer {
    let obstacle: PauseAnswer? = holds.withLock { holds in
      if let obstacle = Self.obstacle(holds) { return obstacle }
      lift([.paused, .page], from: &holds)
      return nil
    }
    if obstacle == nil { wakeSleepers() }
    return obstacle ?? .done
  }

  private static func obstacle(_ holds: Holds) -> PauseAnswer? {
    holds.contains(.ended) ? .ended : holds.contains(.stopped) ? .inHandoff : nil
  }

  /// How a guest comes out of a handoff: as it went in. Only before any hart runs.
  func restorePaused(_ isPaused: Bool) {
    holds.withLock { if isPaused { $0.insert(.paused) } else { $0.remove(.paused) } }
  }

  /// Whether every hart stood still within `limit` nanoseconds.
  private func waitUntilParked(limit: UInt64) -> Bool {
    let deadline = MonotonicClock.now() &+ limit
    while arrived.load(ordering: .acquiring) < harts {
      if isOver.isUp || MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(Self.startPollInterval)
    }
    return true
  }

  package enum RestartOutcome: Sendable {
    case done
    /// Not all harts stand yet, though they were told to: one may wait for a page that a disk is slow with.
    case late
    /// The guest had not ended, or could not be reset.
    case failed
  }

  /// Starts a guest that has ended itself anew: `reset` is done when all harts stand. Until it is done the guest stays
  /// ended, and no handoff's switch is made; one that waits for it is made then, of a guest at its start.
  ///
  /// - Parameter limit: nanoseconds that the harts may take.
  package func restart(limit: UInt64, _ reset: () -> Bool) -> RestartOutcome {
    guard hasGuestEnded else { return .failed }
    guard waitUntilParked(limit: limit) else { return .late }
    guard reset() else { return .failed }
    let isAwaited = holds.withLock { holds in
      lift(.ended, from: &holds)
      // Who stands looks again whether it is the last.
      if holds.contains(.stopped) { close() }
      return holds.contains(.stopped)
    }
    if isAwaited { words.wake(at: gate) } else { wakeSleepers() }
    return .done
  }

  /// Sends all threads home, and waits for them. No hart runs afterwards.
  ///
  /// - Parameters:
  ///   - deed: done when all harts stand, or have not come to stand within `limit` nanoseconds.
  package func end(unblocking body: () -> Void = {}, after limit: UInt64 = 0) {
    isOver.raise()
    machine.withLock { $0 }?.requestStop()
    words.atomicStore(UInt32(1), at: gate)
    words.wake(at: gate)
    for hart in 0..<harts { wake(hart: hart) }
    let deadline = MonotonicClock.now() &+ limit
    while gone.load(ordering: .acquiring) < threads.withLock({ $0.count }), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(Self.startPollInterval)
    }
    body()
    let all = threads.withLock { threads in
      let old = threads
      threads = []
      return old
    }
    for thread in all { thread.join() }
  }

  // MARK: urgency

  /// Pins the threads and makes them real-time for a switch, where that is allowed: thread i to the processor
  /// on which the other VMM's thread i is pinned, so that waking it needs no other processor.
  ///
  /// The calling thread goes first, and above them: else it might not run again before they stop.
  package func prepareSwitch() {
    callersUrgency.begin(OSThread.currentThreadID, priority: Self.callerPriority)
    for (hart, thread) in threads.withLock({ $0 }).enumerated() { boost(thread.threadID, hart, priority: 1) }
  }

  /// Undoes `prepareSwitch`, on the thread that called that, for a guest that stays.
  package func undoSwitch() {
    callersUrgency.end(OSThread.currentThreadID)
    for (hart, thread) in threads.withLock({ $0 }).enumerated() { demote(thread.threadID, hart) }
  }

  private func boostCaller(_ hart: Int, returningTo next: ThreadStanding?) {
    boost(OSThread.currentThreadID, hart, priority: hart == 0 ? 3 : 2, returningTo: next)
  }

  private func calm(_ hart: Int) {
    demote(OSThread.currentThreadID, hart)
    if hart == 0 { demoted.withLock { $0 }?() }
  }

  private func boost(_ thread: Int32, _ hart: Int, priority: Int32, returningTo next: ThreadStanding? = nil) {
    let processors = placement.processors
    urgencies[hart].begin(
      thread, priority: priority, on: processors[hart % processors.count], turn: hart, returningTo: next)
    words.atomicStore(UInt32(1), at: line(hart) + Self.urgencyOffset)
  }

  private func isUrgent(_ hart: Int) -> Bool {
    words.atomicLoadRelaxed(line(hart) + Self.urgencyOffset, as: UInt32.self) == 1
  }

  private func demote(_ thread: Int32, _ hart: Int) {
    words.atomicStore(UInt32(0), at: line(hart) + Self.urgencyOffset)
    urgencies[hart].end(thread)
  }

  // MARK: how they are scheduled

  /// The kernel's numbers of the threads, by hart.
  package var threadIDs: [Int32] { threads.withLock { $0.map(\.threadID) } }

  private func noteNatural(_ hart: Int) {
    guard let standing = try? ThreadStanding.of(OSThread.currentThreadID) else { return }
    natural.withLock { $0[hart] = standing }
  }

  /// Those of the threads that are scheduled otherwise than as they were made: somebody wants it so.
  package var standings: VCPUStandings {
    var found = VCPUStandings()
    let natural = natural.withLock { $0 }
    for (hart, thread) in threads.withLock({ $0 }).enumerated() {
      guard let made = natural[hart],
        var now = urgencies[hart].before ?? (try? ThreadStanding.of(thread.threadID))
      else { continue }
      // Wherever its control group is.
      if now.cpus.count == CPUSet.limit { now.cpus = made.cpus }
      if now != made { found.byHart[hart] = now }
    }
    return found
  }
}
