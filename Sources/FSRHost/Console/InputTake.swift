/// The consumer's way to the next byte of an `InputRing`: each step is one access to shared memory. One consumer
/// at a time.
package struct InputTake: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    case byte(UInt8)
    case nothing
  }

  private enum Step: Hashable {
    case readHead
    case readSlot(UInt64)
    case readTail(head: UInt64)
    case readSlotAgain(head: UInt64, tail: UInt64)
    case moveHead(UInt64, UInt8)
    case free(UInt64, UInt8)
    /// Something is wrong, and is put right.
    case takeTailBack(head: UInt64, tail: UInt64)
    case mend(from: UInt64)
  }

  private var step = Step.readHead

  package init() {}

  /// Takes the next step; answers what came of it once that is known.
  package mutating func step(on ring: InputRing<some InputMemory>) -> Outcome? {
    switch step {
    case .readHead:
      step = .readSlot(ring.memory.head())
    case .readSlot(let head):
      let slot = ring.memory.slot(ring.index(head))
      step = ring.isEmpty(slot, at: head) ? .readTail(head: head) : found(slot, head, ring)
    case .readTail(let head):
      let tail = ring.memory.tail()
      guard tail &- head &- 1 < ring.count else { return .nothing }
      // The tail has passed a slot that was empty a moment ago: it is full now, or the tail is wrong.
      step = .readSlotAgain(head: head, tail: tail)
    case .readSlotAgain(let head, let tail):
      let slot = ring.memory.slot(ring.index(head))
      step =
        ring.isEmpty(slot, at: head) ? .takeTailBack(head: head, tail: tail) : found(slot, head, ring)
    case .moveHead(let head, let byte):
      ring.memory.setHead(head &+ 1)
      step = .free(head, byte)
    case .free(let head, let byte):
      // Behind the head's move: a producer that finds the slot free finds the head moved too.
      ring.memory.setSlot(ring.index(head), to: ring.empty(head &+ ring.count))
      return .byte(byte)
    case .takeTailBack(let head, let tail):
      ring.memory.moveTail(from: tail, to: head)
      return .nothing
    case .mend(let head):
      ring.mend(from: head)
      return .nothing
    }
    return nil
  }

  private func found(_ slot: UInt32, _ head: UInt64, _ ring: InputRing<some InputMemory>) -> Step {
    ring.isFull(slot, at: head)
      ? .moveHead(head, UInt8(truncatingIfNeeded: slot)) : .mend(from: head)
  }
}
