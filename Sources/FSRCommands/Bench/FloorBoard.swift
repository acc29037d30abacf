internal import FSRSystem

/// The shared memory of a floor measurement: what two bare processes need to pass on a turn, and no more.
///
/// | offset | bytes | word |
/// |---|---|---|
/// | 0 | 4 | `go`: the round in which the source's threads run (futex) |
/// | 64 | 4 | `spinning`: source threads that are in their loop (futex) |
/// | 128 | 4 | `stop`: the round that the source's threads leave |
/// | 192 | 4 | `left`: source threads that have left |
/// | 256 | 4 | `resume`: the round that the destination's threads may enter (futex) |
/// | 320 | 4 | `entered`: destination threads that run (futex) |
/// | 384 | 4 | `parked`: destination threads that wait for the round (futex) |
/// | 448 | 64 | the line that the last one out writes: as much state as a handoff must hand over at the least |
/// | 1024 + 64 i | 8 | when source thread i left, nanoseconds |
/// | 2048 + 64 i | 8 | when destination thread i entered, nanoseconds |
final class FloorBoard: Sendable {
  static let size: UInt64 = 4096
  /// Threads of one side at most.
  static let threadLimit = 16

  enum Word: UInt64, CaseIterable, Sendable {
    case go = 0
    case spinning = 64
    case stop = 128
    case left = 192
    case resume = 256
    case entered = 320
    case parked = 384
  }

  private static let line: UInt64 = 448
  private static let leftAt: UInt64 = 1024
  private static let enteredAt: UInt64 = 2048

  private let memory: MappedRegion

  init(mapping descriptor: borrowing OwnedDescriptor) throws(SystemError) {
    memory = try MappedRegion(mapping: descriptor, length: FloorBoard.size, populate: true)
  }

  func load(_ word: Word) -> UInt32 { memory.atomicLoad(word.rawValue) }
  func store(_ value: UInt32, _ word: Word) { memory.atomicStore(value, at: word.rawValue) }
  func wake(_ word: Word) { memory.wake(at: word.rawValue) }

  /// Waits until `word` is `value`; false when `deadline` of the monotonic clock passed first.
  func wait(for value: UInt32, in word: Word, deadline: UInt64) -> Bool {
    while true {
      let seen = load(word)
      if seen == value { return true }
      let now = MonotonicClock.now()
      if now >= deadline { return false }
      memory.wait(at: word.rawValue, while: seen, timeout: deadline - now)
    }
  }

  /// Waits without end until `word` is at least `value`.
  func waitUntil(_ word: Word, reaches value: UInt32) {
    while true {
      let seen = load(word)
      if seen >= value { return }
      memory.wait(at: word.rawValue, while: seen)
    }
  }

  /// Adds one and answers the sum.
  @discardableResult
  func count(_ word: Word) -> UInt32 {
    while true {
      let seen = load(word)
      if memory.atomicCompareExchange(word.rawValue, expected: seen, desired: seen &+ 1).exchanged {
        return seen &+ 1
      }
    }
  }

  func leave(_ thread: Int, at time: UInt64) {
    memory.atomicStore(time, at: stamp(FloorBoard.leftAt, thread))
  }
  func enter(_ thread: Int, at time: UInt64) {
    memory.atomicStore(time, at: stamp(FloorBoard.enteredAt, thread))
  }

  /// Fills the line that stands for a guest's state.
  func hand(over round: UInt32) {
    for word in 0..<UInt64(8) {
      memory.atomicStoreRelaxed(UInt64(round) &+ word, at: FloorBoard.line + 8 * word)
    }
  }

  /// Whether the line is the one of `round`.
  func holds(_ round: UInt32) -> Bool {
    (0..<UInt64(8)).allSatisfy {
      memory.atomicLoadRelaxed(FloorBoard.line + 8 * $0, as: UInt64.self) == UInt64(round) &+ $0
    }
  }

  /// From the last one out to the first one in, nanoseconds.
  func downtime(threads: Int) -> UInt64 {
    let left =
      (0..<threads).map { memory.atomicLoad(stamp(FloorBoard.leftAt, $0), as: UInt64.self) }.max() ?? 0
    let entered =
      (0..<threads).map { memory.atomicLoad(stamp(FloorBoard.enteredAt, $0), as: UInt64.self) }.min() ?? 0
    return entered > left ? entered - left : 0
  }

  private func stamp(_ base: UInt64, _ thread: Int) -> UInt64 {
    precondition(thread >= 0 && thread < FloorBoard.threadLimit, "no such thread")
    return base + 64 * UInt64(thread)
  }
}
