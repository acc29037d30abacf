internal import FSRHost
import FSRMachine
import FSRMemory
import FSRReference
import FSRService
internal import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// The threads of a guest's vCPUs: stopped, paused and started anew, also while one of them does not come to stand.
@Suite(.serialized) struct VCPUThreadsTests {
  /// Nobody listens to this guest.
  private struct Silence: ConsoleSink {
    func write(_ byte: UInt8) {}
  }

  private final class Guest: Sendable {
    let threads: VCPUThreads
    let cpus: [ScriptedCPU]
    let ends = Atomic<Int>(0)
    /// How often the deed of a stop was done.
    let switches = Atomic<Int>(0)

    init(vcpus: Int) throws {
      let ended = Mutex<Callback?>(nil)
      let hook = Owned(ended)
      let threads = try VCPUThreads(
        meters: VCPUMeters(vcpus: vcpus), clock: HostClock(), placement: GuestPlacement(nil)
      ) { _ in hook.value.withLock { $0 }?() }
      let machine = try Machine(
        memory: GuestMemory(size: BoardMap.smallestRAM), harts: vcpus, clock: HostClock(), console: Silence(),
        waker: threads)
      self.threads = threads
      cpus = (0..<vcpus).map { ScriptedCPU(hart: $0, of: machine) }
      hook.value.withLock {
        $0 = Callback { [weak self] in self?.ends.add(1, ordering: .acquiringAndReleasing) }
      }
      try threads.start(machine: machine, cpus: cpus)
    }

    deinit {
      for cpu in cpus { cpu.unstick() }
      threads.end()
    }

    /// Has `vcpu` stay in the guest, whatever it is told.
    func stick(_ vcpu: Int) {
      cpus[vcpu].stick()
      #expect(VCPUThreadsTests.wait { self.cpus[vcpu].isStuck })
    }

    /// Whether each of `vcpus` goes on.
    func runs(_ vcpus: [Int]) -> Bool {
      let before = vcpus.map { cpus[$0].instructions }
      return VCPUThreadsTests.wait { zip(vcpus, before).allSatisfy { self.cpus[$0].instructions > $1 } }
    }
  }

  /// Far longer than anything takes, in nanoseconds.
  private static let timeout: UInt64 = 60_000_000_000
  /// Nanoseconds for a vCPU that never stands.
  private static let moment: UInt64 = 5_000_000

  private static func wait(until condition: () -> Bool) -> Bool {
    let deadline = MonotonicClock.now() + timeout
    while !condition() {
      if MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(100_000)
    }
    return true
  }

  @Test func aResetWaitsForAVCPUThatIsHeldUp() async throws {
    let guest = try Guest(vcpus: 2)
    guest.threads.resume()
    #expect(guest.runs([0, 1]))
    guest.stick(1)
    guest.cpus[0].endGuest(.reset)
    #expect(Self.wait { guest.ends.load(ordering: .acquiring) == 1 })
    var resets = 0
    for _ in 0..<2 {
      let outcome = guest.threads.restart(limit: Self.moment) {
        resets += 1
        return true
      }
      #expect(outcome == .late && resets == 0)
    }
    guest.cpus[1].unstick()
    let outcome = guest.threads.restart(limit: Self.timeout) {
      resets += 1
      return !guest.cpus.contains { $0.isInside }
    }
    #expect(outcome == .done && resets == 1)
    #expect(guest.runs([0, 1]))
    #expect(guest.threads.restart(limit: Self.timeout) { true } == .failed)
  }

  /// A guest that has asked for a reset and stands, and a stop of it.
  private static func stopped() throws -> Guest {
    let guest = try Guest(vcpus: 2)
    guest.threads.resume()
    #expect(guest.runs([0, 1]))
    guest.cpus[0].endGuest(.reset)
    #expect(wait { guest.ends.load(ordering: .acquiring) == 1 })
    guest.threads.stop { [weak guest] in guest?.switches.add(1, ordering: .acquiringAndReleasing) }
    return guest
  }

  @Test func aSwitchWaitsForAResetAndIsMadeThen() async throws {
    let guest = try Self.stopped()
    let outcome = guest.threads.restart(limit: Self.timeout) {
      guest.switches.load(ordering: .acquiring) == 0 && !guest.cpus.contains { $0.isInside }
    }
    #expect(outcome == .done)
    #expect(Self.wait { guest.switches.load(ordering: .acquiring) == 1 })
    #expect(!guest.cpus.contains { $0.isInside })
    guest.threads.resume()
    #expect(guest.runs([0, 1]))
  }

  /// A vCPU that stands looks by itself only every ten seconds.
  @Test func whoeverStandsIsToldOfTheResetThatASwitchWaitsFor() async throws {
    let rounds: UInt64 = 6
    let begin = MonotonicClock.now()
    for _ in 0..<rounds {
      let guest = try Self.stopped()
      #expect(guest.threads.restart(limit: Self.timeout) { true } == .done)
      #expect(Self.wait { guest.switches.load(ordering: .acquiring) == 1 })
      guest.threads.resume()
    }
    #expect(MonotonicClock.now() - begin < rounds * 5_000_000_000)
  }

  @Test func aSwitchThatIsCalledOffLeavesTheResetAsItIs() async throws {
    let guest = try Self.stopped()
    #expect(guest.threads.cancelStop())
    guest.threads.resume()
    // It has asked for a reset, and waits for that alone.
    let outcome = guest.threads.restart(limit: Self.timeout) { !guest.cpus.contains { $0.isInside } }
    #expect(outcome == .done)
    #expect(guest.runs([0, 1]) && guest.switches.load(ordering: .acquiring) == 0)
  }

  @Test func aPauseThatComesTooLateIsTakenBack() throws {
    let guest = try Guest(vcpus: 3)
    guest.threads.resume()
    #expect(guest.runs([0, 1, 2]))
    guest.stick(2)
    #expect(guest.threads.pause(limit: Self.moment) == .late)
    #expect(guest.runs([0, 1]))
    guest.cpus[2].unstick()
    #expect(guest.runs([2]))
    #expect(guest.threads.pause(limit: Self.timeout) == .done)
    #expect(!guest.cpus.contains { $0.isInside })
    #expect(guest.threads.unpause() == .done)
    #expect(guest.runs([0, 1, 2]))
  }

  /// Asks for a stop with a deed that alone keeps what is answered.
  private static func stop(_ guest: Guest, _ body: @escaping @Sendable () -> Void) -> OneWayFlag {
    let needed = OneWayFlag()
    guest.threads.stop {
      needed.raise()
      body()
    }
    return needed
  }

  @Test func aStopThatIsTakenBackDoesNothing() throws {
    let guest = try Guest(vcpus: 3)
    let deeds = Owned(Atomic<Int>(0))
    guest.threads.resume()
    for stuck in 0..<3 {
      guest.stick(stuck)
      weak let kept = Self.stop(guest) { deeds.value.add(1, ordering: .acquiringAndReleasing) }
      #expect(kept != nil && guest.threads.pause(limit: Self.moment) == .inHandoff)
      #expect(guest.threads.cancelStop() && !guest.threads.cancelStop())
      // Nor is anything kept that it would have needed.
      #expect(kept == nil)
      guest.threads.resume()
      guest.cpus[stuck].unstick()
      #expect(guest.runs([0, 1, 2]))
    }
    #expect(deeds.value.load(ordering: .acquiring) == 0)
  }

  /// Whoever has seen to how a thread is scheduled: it is so again.
  @Test func aSwitchThatCameToNothingLeavesThreadsAsTheyWere() throws {
    let guest = try Guest(vcpus: 3)
    let own = try ThreadStanding.of(0)
    let cpu = try #require(own.cpus.cpus.last)
    #expect(guest.threads.standings.byVCPU.isEmpty)
    try Scheduling.setBatch(of: guest.threads.threadIDs[0])
    // One of them has its turn elsewhere, where there are several processors.
    for vcpu in 1...2 { try Scheduling.setAffinity(CPUSet([cpu]), of: guest.threads.threadIDs[vcpu]) }
    let before = try guest.threads.threadIDs.map { (id) throws(SystemError) in try ThreadStanding.of(id) }
    for _ in 0..<3 {
      guest.threads.prepareSwitch()
      for (vcpu, id) in guest.threads.threadIDs.enumerated() {
        let place = try Scheduling.affinity(of: id)
        #expect(place.count == 1 && before[vcpu].cpus.contains(place.cpus[0]), "vCPU \(vcpu): \(place)")
      }
      #expect(Set(guest.threads.standings.byVCPU.keys) == [0, 1, 2])
      guest.threads.undoSwitch()
      let after = try guest.threads.threadIDs.map { (id) throws(SystemError) in try ThreadStanding.of(id) }
      #expect(after == before)
      try #expect(ThreadStanding.of(0) == own)
    }
    #expect(guest.threads.standings.byVCPU == [0: before[0], 1: before[1], 2: before[2]])
  }

  /// From the deed until the guest goes on nobody is in it, whatever came together: stops and pauses, taken back at any
  /// moment.
  @Test(arguments: [1, 2, 3]) func nobodyIsInTheGuestWhileItIsStopped(vcpus: Int) throws {
    let guest = try Guest(vcpus: vcpus)
    guest.threads.resume()
    var random = SeededGenerator(seed: UInt64(vcpus))
    var (done, paused, cancelled) = (0, 0, 0)
    for round in 0..<1500 {
      // 0 not yet, 1 nobody was inside, 2 somebody was.
      let seen = Owned(Atomic<Int>(0))
      let isPaused = round % 3 == 0 && guest.threads.pause(limit: Self.timeout) == .done
      if isPaused { paused += 1 }
      guest.threads.stop {
        seen.value.store(guest.cpus.contains { $0.isInside } ? 2 : 1, ordering: .releasing)
      }
      let spins = Int.random(in: 0..<4000, using: &random)
      for _ in 0..<spins where seen.value.load(ordering: .acquiring) == 0 {}
      if round % 2 == 0, guest.threads.cancelStop() {
        #expect(seen.value.load(ordering: .acquiring) == 0)
        cancelled += 1
      } else {
        #expect(Self.wait { seen.value.load(ordering: .acquiring) != 0 })
        let isEmpty = seen.value.load(ordering: .acquiring) == 1 && !guest.cpus.contains { $0.isInside }
        #expect(isEmpty, "round \(round)")
        done += 1
      }
      guest.threads.resume()
      if isPaused { #expect(guest.threads.unpause() == .done) }
    }
    #expect(done >= 750 && paused == 500 && cancelled > 0 && guest.runs(Array(0..<vcpus)))
  }
}
