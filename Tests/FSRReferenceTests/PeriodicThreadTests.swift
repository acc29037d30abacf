import FSRReference
import FSRSystem
import Synchronization
import Testing

/// A thread that works while a guest is here, and rests while it is given away.
@Suite(.serialized) struct PeriodicThreadTests {
  private final class Count: Sendable {
    let rounds = Atomic<Int>(0)
    let thread = Atomic<Int32>(0)
    private let isInside = Atomic<Bool>(false)
    var isBusy: Bool { isInside.load(ordering: .sequentiallyConsistent) }

    func work() {
      isInside.store(true, ordering: .sequentiallyConsistent)
      rounds.add(1, ordering: .relaxed)
      thread.store(OSThread.currentThreadID, ordering: .relaxed)
      MonotonicClock.sleep(10_000)
      isInside.store(false, ordering: .sequentiallyConsistent)
    }

    /// Whether it goes on.
    func goesOn() -> Bool {
      let before = rounds.load(ordering: .relaxed)
      let deadline = MonotonicClock.now() + 60_000_000_000
      while rounds.load(ordering: .relaxed) == before {
        if MonotonicClock.now() > deadline { return false }
        MonotonicClock.sleep(10_000)
      }
      return true
    }
  }

  @Test func afterARestTheSameThreadGoesOn() throws {
    let (worker, count) = (PeriodicThread(name: "worker"), Count())
    try worker.start { count.work() }
    #expect(count.goesOn())
    let first = count.thread.load(ordering: .relaxed)
    for _ in 0..<300 {
      worker.rest()
      #expect(!worker.isRunning && !count.isBusy)
      let before = count.rounds.load(ordering: .relaxed)
      // Nothing to do twice.
      worker.rest()
      #expect(count.rounds.load(ordering: .relaxed) == before)
      try worker.start {}
      try worker.start {}
      #expect(count.goesOn())
    }
    #expect(count.thread.load(ordering: .relaxed) == first)
    worker.stop()
    #expect(!count.isBusy)
  }

  @Test func itEndsAtRestToo() throws {
    let (worker, count) = (PeriodicThread(name: "worker"), Count())
    worker.rest()
    worker.stop()
    for round in 0..<100 {
      try worker.start { count.work() }
      if round % 2 == 0 { #expect(count.goesOn()) }
      worker.rest()
      worker.stop()
      worker.stop()
      #expect(!worker.isRunning)
    }
    try worker.start { count.work() }
    #expect(count.goesOn())
    worker.stop()
  }
}
