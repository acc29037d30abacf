internal import FSRHost
internal import FSRMachine
internal import FSRSystem
internal import Synchronization

/// How much of a guest was executed in the first moments after it came here: its brownout.
///
/// A thread of its own looks at the vCPUs' counters. It sleeps through the switch, and is woken by the first
/// vCPU once that has run a while.
final class ArrivalSampler: Sendable {
  /// When it looks, in nanoseconds after the entry. It may be late, so each sample says when it was.
  private static let moments: [UInt64] = [1_000_000, 10_000_000, 100_000_000]
  /// Above the vCPUs, else it would look when they let it; it takes some microseconds each time.
  private static let priority: Int32 = 4
  private static let sleepLimit: UInt64 = 10_000_000_000
  /// In the region.
  private static let word: UInt64 = 0
  /// What the word says.
  private enum Call {
    static let sleep: UInt32 = 0
    static let look: UInt32 = 1
    static let leave: UInt32 = 2
  }

  private let cpus: [any VirtualCPU]
  private let region: MappedRegion
  private let entryTime = Atomic<UInt64>(0)
  private let entryCount = Atomic<UInt64>(0)
  private let taken = Mutex<[VMReport.Arrival]>([])

  init(_ cpus: [any VirtualCPU]) throws(SystemError) {
    self.cpus = cpus
    region = try MappedRegion(anonymous: 4096)
    // Touched now: a page fault is nothing for the moments after a switch.
    region.atomicStore(Call.sleep, at: Self.word)
  }

  /// What was seen so far; empty where the guest was born here.
  var samples: [VMReport.Arrival] { taken.withLock { $0 } }

  /// Starts the thread, before the guest comes.
  func start() throws(SystemError) {
    _ = try OSThread.start(name: "arrival", detached: true) { [self] in
      _ = try? Scheduling.setFIFO(priority: Self.priority, of: OSThread.currentThreadID)
      while region.atomicLoad(Self.word, as: UInt32.self) == Call.sleep {
        region.wait(at: Self.word, while: Call.sleep, timeout: Self.sleepLimit)
      }
      if region.atomicLoad(Self.word, as: UInt32.self) == Call.look { sample() }
    }
  }

  /// Said by the first vCPU's thread as it enters the guest. Takes some loads and stores.
  func guestEntered() {
    entryCount.store(count, ordering: .relaxed)
    entryTime.store(MonotonicClock.now(), ordering: .relaxed)
  }

  /// Said by the first vCPU's thread when the switch is well behind it.
  func wake() { call(Call.look) }

  /// Ends the thread: the guest does not come.
  func leave() { call(Call.leave) }

  private func call(_ call: UInt32) {
    region.atomicStore(call, at: Self.word)
    region.wake(at: Self.word)
  }

  private func sample() {
    let start = entryTime.load(ordering: .relaxed)
    let before = entryCount.load(ordering: .relaxed)
    for moment in Self.moments {
      let due = start &+ moment
      while true {
        let now = MonotonicClock.now()
        if now >= due { break }
        MonotonicClock.sleep(due - now)
      }
      let sample = VMReport.Arrival(
        nanoseconds: MonotonicClock.now() - start, instructions: count &- before)
      taken.withLock { $0.append(sample) }
    }
  }

  private var count: UInt64 { cpus.reduce(0) { $0 &+ $1.instructions } }
}
