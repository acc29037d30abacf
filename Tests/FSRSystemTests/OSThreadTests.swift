import FSRSystem
import Glibc
import Synchronization
import Testing

@Suite struct OSThreadTests {
  @Test func aThreadHasItsNumberAndNameWhenStartReturns() throws {
    let gate = try EventDescriptor()
    let inside = Atomic<Int32>(0)
    let entry = try withGate(gate) { wait throws in
      let thread = try OSThread.start(name: "fsr-vcpu-12345678") {
        inside.store(OSThread.currentThreadID, ordering: .releasing)
        wait()
      }
      let name = try OwnedDescriptor.open("/proc/self/task/\(thread.threadID)/comm", .read)
      #expect(String(decoding: try name.readAll(limit: 64), as: UTF8.self) == "fsr-vcpu-123456\n")
      return thread
    }
    entry.join()
    #expect(inside.load(ordering: .acquiring) == entry.threadID && entry.threadID != getpid())
  }

  @Test func joiningTwiceTraps() async {
    await #expect(processExitsWith: .failure) {
      let thread = try OSThread.start(name: "once") {}
      thread.join()
      thread.join()
    }
  }

  @Test func aThreadThatHasEndedTakesNoSignal() throws {
    let thread = try OSThread.start(name: "short") {}
    thread.join()
    let sent = try thread.signal(0)
    #expect(!sent)
  }

  @Test func aDetachedThreadRunsByItself() throws {
    let done = try EventDescriptor()
    let other = try done.duplicate()
    let shared = Shared(other)
    _ = try OSThread.start(name: "detached", detached: true) { try? shared.event.signal() }
    var poller = Poller()
    poller.watch(done.descriptor, token: 1)
    let ready = try poller.wait(timeout: nil)
    #expect(ready == [1])
  }

  @Test func affinityIsReadSetAndKept() throws {
    let gate = try EventDescriptor()
    let thread = try withGate(gate) { wait throws in
      let thread = try OSThread.start(name: "pinned") { wait() }
      let all = try Scheduling.affinity(of: thread.threadID)
      let last = try #require(all.cpus.last)
      try Scheduling.setAffinity(CPUSet([last]), of: thread.threadID)
      let one = try Scheduling.affinity(of: thread.threadID)
      #expect(one == CPUSet([last]) && !all.isEmpty)
      #expect(throws: SystemError.self) { try Scheduling.setAffinity(CPUSet(), of: thread.threadID) }
      return thread
    }
    thread.join()
  }

  @Test func aBatchThreadIsOneUntilItIsNormalAgain() throws {
    let result = Mutex<[Scheduling.Policy?]>([])
    let thread = try OSThread.start(name: "batch") {
      @Sendable func note() { result.withLock { $0.append(try? Scheduling.policy(of: 0)) } }
      try? Scheduling.setBatch(of: 0)
      note()
      try? Scheduling.setNormal(of: 0)
      note()
    }
    thread.join()
    let seen = result.withLock { $0 }
    #expect(seen == [.batch, .normal])
  }

  @Test func policyIsReadAndSetWhereAllowed() throws {
    let gate = try EventDescriptor()
    let thread = try withGate(gate) { wait throws in
      let thread = try OSThread.start(name: "fifo") { wait() }
      let before = try Scheduling.policy(of: thread.threadID)
      let allowed = try Scheduling.setFIFO(priority: 3, of: thread.threadID)
      let during = try Scheduling.policy(of: thread.threadID)
      try Scheduling.setNormal(of: thread.threadID)
      let after = try Scheduling.policy(of: thread.threadID)
      #expect(before == .normal && after == .normal)
      #expect(during == (allowed ? .fifo(priority: 3) : .normal))
      return thread
    }
    thread.join()
  }

  @Test func theCurrentCPUIsOneOfThoseAllowed() throws {
    let cpu = try Scheduling.currentCPU()
    let allowed = try Scheduling.affinity(of: 0)
    #expect(allowed.contains(cpu) && Host.cpuCount >= 1)
  }

  @Test func aSetOfCPUsIsASet() {
    var set = CPUSet([0, 63, 64, 8191])
    set.remove(63)
    set.remove(9999)
    #expect(set.cpus == [0, 64, 8191] && set.count == 3 && set.description == "0,64,8191")
    #expect(!set.contains(-1) && !set.contains(8192) && CPUSet().isEmpty)
  }

  /// Runs `body` with a function that waits until `body` has returned or thrown.
  private func withGate<R>(
    _ gate: borrowing EventDescriptor, _ body: (@escaping @Sendable () -> Void) throws -> R
  )
    throws -> R
  {
    let shared = Shared(try gate.duplicate())
    defer { try? gate.signal() }
    return try body {
      var poller = Poller()
      poller.watch(shared.event.descriptor, token: 0)
      while (try? poller.wait(timeout: nil)) == [] {}
    }
  }
}

/// An event that a closure can hold.
private final class Shared: Sendable {
  let event: EventDescriptor

  init(_ event: consuming EventDescriptor) { self.event = event }
}
