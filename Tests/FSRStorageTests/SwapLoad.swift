import FSRStorage
import FSRSystem
import FSRTestSupport
import Synchronization

/// Does with a swap file as a pager does, from several threads: pages go out, come back and are compared, slots are taken and
/// given back. Each thread has slots of its own, and knows what is in them.
final class SwapLoad: Sendable {
  struct Lost: Error, CustomStringConvertible { let description: String }

  /// Pages that one transfer may have here.
  static let run: UInt64 = 8
  /// Runs that a thread has at most.
  static let ownLimit = 250
  /// Nanoseconds after which something that should have ended counts as lost.
  static let timeout: UInt64 = 60_000_000_000

  private struct Answer {
    var isThere = false
    var failure: SystemError?
  }

  let swap: SwapFile
  private let answers: Mutex<[Answer]>
  private let bells: [Owned<EventDescriptor>]
  private let marks: Mutex<[UInt64: UInt64]>
  private let isStopped = OneWayFlag()
  /// Threads that still page.
  private let active: Atomic<Int>
  private let steps = Atomic<Int>(0)
  private let trouble = Mutex<String?>(nil)

  init(_ swap: SwapFile, threads: Int) throws {
    self.swap = swap
    answers = Mutex(Array(repeating: Answer(), count: threads))
    bells = try (0..<threads).map { _ in Owned(try EventDescriptor()) }
    marks = Mutex([:])
    active = Atomic(0)
  }

  /// What each slot in use holds, once nobody pages.
  var content: [UInt64: UInt64] { marks.withLock { $0 } }

  /// Transfers of pages so far, by all threads.
  var count: Int { steps.load(ordering: .acquiring) }

  func stop() { isStopped.raise() }

  /// Starts the threads, each for `limit` steps or until `stop`; the caller then calls `serve`.
  func start(seed: UInt64, limit: Int, growing: Bool) throws {
    active.store(bells.count, ordering: .releasing)
    for index in bells.indices {
      _ = try OSThread.start(name: "load", detached: true) {
        do { try self.page(index, seed: seed, limit: limit, growing: growing) } catch {
          self.trouble.withLock { $0 = $0 ?? "\(error)" }
        }
        self.active.subtract(1, ordering: .acquiringAndReleasing)
        try? self.swap.event.value.signal()
      }
    }
  }

  /// Takes completions until the threads have ended and `isEnough` says so.
  func serve(until isEnough: () -> Bool) throws {
    let deadline = MonotonicClock.now() + Self.timeout
    while true {
      for completion in swap.completions() { deliver(completion) }
      let isDone = active.load(ordering: .acquiring) == 0
      if isEnough() {
        if isDone { break }
        stop()
      }
      if MonotonicClock.now() > deadline {
        let (threads, inFlight) = (active.load(ordering: .acquiring), swap.inFlight)
        throw Lost(
          description: "not in good time: \(threads) threads after \(count) steps, \(inFlight) in flight")
      }
      var poller = Poller()
      poller.watch(swap.event.value.descriptor, token: 0)
      _ = try poller.wait(timeout: 2_000_000)
    }
    if let trouble = trouble.withLock({ $0 }) { throw Lost(description: trouble) }
  }

  private func deliver(_ completion: PageCompletion) {
    let index = Int(completion.tag)
    answers.withLock { $0[index] = Answer(isThere: true, failure: completion.failure) }
    try? bells[index].value.signal()
  }

  /// Has a transfer done; answers how it ended.
  private func transfer(
    _ direction: PageTransfer.Direction, _ slots: Range<UInt64>, _ memory: Owned<MappedRegion>, _ index: Int
  ) throws -> SystemError? {
    let deadline = MonotonicClock.now() + Self.timeout
    let transfer = try swap.transfer(direction, slots, memory: memory, offset: 0, tag: UInt64(index))
    var poller = Poller()
    poller.watch(bells[index].value.descriptor, token: 0)
    while try !swap.submit(transfer) {
      if MonotonicClock.now() > deadline { throw Lost(description: "no room for a minute") }
      _ = try poller.wait(timeout: 1_000_000)
    }
    while true {
      _ = try poller.wait(timeout: 1_000_000_000)
      _ = try bells[index].value.clear()
      let answer = answers.withLock { answers in
        defer { answers[index].isThere = false }
        return answers[index]
      }
      if answer.isThere { return answer.failure }
      if MonotonicClock.now() > deadline {
        throw Lost(description: "the \(direction) of slots \(slots) has not ended in a minute")
      }
    }
  }

  private func page(_ index: Int, seed: UInt64, limit: Int, growing: Bool) throws {
    let memory = Owned(try MappedRegion(anonymous: Self.run * PageTransfer.pageSize))
    var chance = SeededGenerator(seed: seed &+ UInt64(index) &* 0x1234_5678)
    var own: [(slots: Range<UInt64>, mark: UInt64)] = []
    defer {
      marks.withLock { marks in
        for (slots, mark) in own { for slot in slots { marks[slot] = mark &+ slot } }
      }
    }
    for _ in 0..<limit {
      if isStopped.isUp { break }
      steps.add(1, ordering: .relaxed)
      let choice = Int.random(in: 0..<10, using: &chance)
      if own.isEmpty || (own.count < Self.ownLimit && choice < (growing ? 6 : 4)) {
        let slots = try swap.allocate(upTo: UInt64.random(in: 1...Self.run, using: &chance))
        let mark = chance.next()
        if try write(slots, mark, memory, index) {
          own.append((slots, mark))
        } else {
          try swap.free(slots)
        }
        continue
      }
      let chosen = Int.random(in: own.indices, using: &chance)
      let (slots, mark) = own[chosen]
      if choice < 8 {
        if try transfer(.read, slots, memory, index) != nil { continue }
        for slot in slots
        where memory.value.load((slot - slots.lowerBound) * 4096 + 8, as: UInt64.self) != mark &+ slot {
          throw Lost(description: "slot \(slot) does not hold what was written")
        }
        if choice == 7 {
          own.remove(at: chosen)
          try swap.free(slots)
        }
      } else {
        // In place, as other users of the file do.
        own.remove(at: chosen)
        let mark = chance.next()
        if try write(slots, mark, memory, index) {
          own.append((slots, mark))
        } else {
          try swap.free(slots)
        }
      }
    }
  }

  private func write(_ slots: Range<UInt64>, _ mark: UInt64, _ memory: Owned<MappedRegion>, _ index: Int)
    throws -> Bool
  {
    for slot in slots {
      memory.value.store(mark &+ slot, at: (slot - slots.lowerBound) * 4096 + 8)
      memory.value.store(~mark, at: (slot - slots.lowerBound) * 4096 + 4088)
    }
    return try transfer(.write, slots, memory, index) == nil
  }
}
