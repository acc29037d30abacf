internal import FSRHost
package import FSRMachine
internal import FSRService
package import FSRState
package import FSRSystem
internal import Synchronization

/// A host thread for every vCPU: started once, and at the gate whenever the guest must not run.
package final class VCPUThreads: WakesHarts, Sendable {
  /// Instructions after which a thread looks up by itself.
  private static let budget: UInt64 = 1 << 30
  /// Instructions that a thread runs with the priority of the switch, before it becomes an ordinary one.
  private static let raisedBudget: UInt64 = 20_000
  /// Nanoseconds between two looks at what the threads have come to.
  static let pollInterval: UInt64 = 100_000
  /// How long a thread spins at the gate in a switch, in nanoseconds.
  private static let spinLimit: UInt64 = 200_000
  /// How long the thread of a vCPU that waits for an interrupt sleeps at most, in nanoseconds.
  private static let sleepLimit: UInt64 = 10_000_000_000
  private static let line: UInt64 = 64

  package let vcpus: Int
  private let clock: HostClock
  private let meters: VCPUMeters
  /// The processors that vCPUs may run on.
  let placement: GuestPlacement
  let gate: VCPUGateWord
  let priority: SwitchPriority
  private let ended: @Sendable (GuestEnd) -> Void

  /// A cache line per vCPU, with the futex on which its thread sleeps while it waits for an interrupt.
  private let words: MappedRegion
  let machine = Mutex<Machine?>(nil)
  let threads = Mutex<[OSThread]>([])
  private let ready = Atomic<Int>(0)
  /// Threads that have ended.
  let gone = Atomic<Int>(0)
  /// What the stop that is asked for is for.
  let switchover = Mutex<Callback?>(nil)
  private let demoted = Mutex<Callback?>(nil)

  /// - Parameter ended: called on a vCPU thread when the guest ends itself, which then stands still.
  package init(
    meters: VCPUMeters, clock: HostClock, placement: GuestPlacement,
    ended: @escaping @Sendable (GuestEnd) -> Void
  ) throws(SystemError) {
    vcpus = meters.vcpus
    // Those that share a processor are stopped together: while one runs on, raised, another cannot.
    gate = try VCPUGateWord(
      VCPUGate(vcpus: meters.vcpus, isFirstLast: meters.vcpus <= placement.processors.count))
    priority = try SwitchPriority(vcpus: meters.vcpus, processors: placement.processors)
    words = try MappedRegion(anonymous: UInt64(meters.vcpus) * Self.line)
    // Touched now: the first store to a new page is a fault, and the next ones come in the switch.
    words.atomicStore(UInt32(0), at: 0)
    self.meters = meters
    self.clock = clock
    self.placement = placement
    self.ended = ended
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

  /// Makes the threads, which stand at the gate or, in a destination, wait for the switch.
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
        priority.noteNatural(cpu.hart)
        guard let switching else {
          ready.add(1, ordering: .acquiringAndReleasing)
          run(cpu, machine, isInside: false)
          return
        }
        priority.raiseCaller(cpu.hart, returningTo: standings.byVCPU[cpu.hart])
        if cpu.hart == 0 { switching.rehearse() }
        ready.add(1, ordering: .acquiringAndReleasing)
        if cpu.hart == 0 {
          guard switching.lead() else { return }
          switching.entered()
          // Who leads has been let through already, unless the guest comes paused.
          run(cpu, machine, isInside: !isPaused)
        } else {
          follow(switching, cpu.hart)
          run(cpu, machine, isInside: false)
        }
      }
      threads.withLock { $0.append(thread) }
    }
    // Who is told that the guest is prepared may switch at once.
    while ready.load(ordering: .acquiring) < cpus.count { MonotonicClock.sleep(Self.pollInterval) }
  }

  /// A thread that has a processor to itself is awake by the time the gate opens.
  private func follow(_ switching: Switch, _ vcpu: Int) {
    guard vcpu < placement.processors.count else { return }
    switching.follow()
    let deadline = MonotonicClock.now() + Self.spinLimit
    while MonotonicClock.now() < deadline {
      let now = gate.now
      if now.isOpen || now.isOver { break }
    }
  }

  // MARK: running

  private func run(_ cpu: any VirtualCPU, _ machine: Machine, isInside: Bool) {
    let lines = machine.lines(of: cpu.hart)
    guard isInside || pass(cpu.hart, lines) else { return }
    while true {
      // Read before the vCPU looks at its wires, so that no wake is lost between that look and the sleep.
      let seen = words.atomicLoad(UInt64(cpu.hart) * Self.line, as: UInt32.self)
      meters.enter(cpu.hart)
      let exit = cpu.run(budget: priority.isRaised(cpu.hart) ? Self.raisedBudget : Self.budget)
      meters.leave(cpu.hart)
      switch exit {
      case .stopped: guard pass(cpu.hart, lines) else { return }
      case .budget: demote(cpu.hart)
      case .waiting(let until):
        demote(cpu.hart)
        sleep(cpu.hart, seen, until)
      case .ended(let end):
        gate.perform { $0.guestHasEnded() }
        askAll()
        ended(end)
        guard pass(cpu.hart, lines) else { return }
      }
    }
  }

  /// Stands at the gate until the vCPU may go in; false when it never may again.
  private func pass(_ vcpu: Int, _ lines: HartLines) -> Bool {
    var isStanding = false
    while true {
      // Taken back by nobody else, and ahead of the look at the gate: who closes it asks afterwards.
      lines.stop.store(0, ordering: .sequentiallyConsistent)
      let (turn, seen) = gate.perform { isStanding ? $0.look(vcpu) : $0.arrive(vcpu) }
      isStanding = true
      switch turn {
      case .enter: return true
      case .leave: return false
      case .wait: gate.sleep(while: seen)
      case .askFirst: ask(0)
      case .switchOver: switchover.withLock { $0.take() }?()
      }
    }
  }

  private func demote(_ vcpu: Int) {
    guard priority.isRaised(vcpu) else { return }
    priority.demoteCaller(vcpu)
    if vcpu == 0 { demoted.withLock { $0 }?() }
  }

  private func sleep(_ vcpu: Int, _ seen: UInt32, _ until: UInt64?) {
    var timeout = Self.sleepLimit
    if let until {
      let due = clock.hostTime(ofTicks: until)
      let now = MonotonicClock.now()
      if due <= now { return }
      timeout = min(timeout, due - now)
    }
    words.wait(at: UInt64(vcpu) * Self.line, while: seen, timeout: timeout)
  }

  package func wake(hart vcpu: Int) {
    let offset = UInt64(vcpu) * Self.line
    while true {
      let seen = words.atomicLoad(offset, as: UInt32.self)
      if words.atomicCompareExchange(offset, expected: seen, desired: seen &+ 1).exchanged { break }
    }
    words.wake(at: offset)
  }

  // MARK: priority

  /// Pins the threads and makes them real-time for a switch, where that is allowed; the calling one, too.
  package func prepareSwitch() { priority.raise(threadIDs) }

  /// Undoes `prepareSwitch`, on the thread that called that, for a guest that stays.
  package func undoSwitch() { priority.restore(threadIDs) }

  /// The kernel's numbers of the threads, by vCPU.
  package var threadIDs: [Int32] { threads.withLock { $0.map(\.threadID) } }

  /// How those are scheduled that somebody has scheduled.
  package var standings: VCPUStandings { priority.standings(of: threadIDs) }
}
