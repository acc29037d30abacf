/// Typed bytes on their way to the guest: many producers in any process, one consumer.
///
/// A byte's place in the stream is its position; its slot is the position modulo the ring, and its lap the quotient.
/// A slot holds the lap, whether it is full in that lap, and the byte:
///
/// ```
/// bits 31 … 9  the lap    bit 8  full    bits 7 … 0  the byte, 0 in an empty one
/// ```
/// A producer claims the slot at the tail by compare-and-swap from "empty in this lap" to "full in this lap": from
/// then on the byte is in, whatever becomes of the producer. The tail only says where to begin; whoever finds it
/// behind moves it on. The consumer looks at the slot at the head and needs no tail. So nobody waits for anybody,
/// and a producer that is killed leaves either nothing or a whole byte.
///
/// In memory that nobody has spoilt
///
/// 1. the slots from the head on, one lap of them, are empty or full in their position's lap; those that the
///    consumer is about to free are the only others,
/// 2. every position between head and tail is full, and tail - head is -1 … `count`: -1 where a producer died
///    between its slot and the tail, and the byte was taken since.
///
/// Both are checked. What breaks them costs typed bytes, never the guest or the ring.
package struct InputRing<Memory: InputMemory>: Sendable where Memory: Sendable {
  package let memory: Memory
  /// Slots: a power of two.
  let count: UInt64

  package init(_ memory: Memory, count: UInt64) {
    precondition(count > 0 && count & (count - 1) == 0, "a power of two")
    self.memory = memory
    self.count = count
  }

  // MARK: slots

  func index(_ position: UInt64) -> UInt64 { position & (count - 1) }

  /// The lap and the full bit of a slot that holds no byte of this lap yet.
  private func emptyTag(_ position: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: position / count) << 1 & 0xff_ffff
  }

  func empty(_ position: UInt64) -> UInt32 { emptyTag(position) << 8 }

  func full(_ position: UInt64, _ byte: UInt8) -> UInt32 { (emptyTag(position) | 1) << 8 | UInt32(byte) }

  func isEmpty(_ slot: UInt32, at position: UInt64) -> Bool { slot == empty(position) }

  func isFull(_ slot: UInt32, at position: UInt64) -> Bool { slot >> 8 == emptyTag(position) | 1 }

  // MARK: the consumer

  var tail: UInt64 { memory.tail() }
  var head: UInt64 { memory.head() }

  /// The next byte; nil where there is none. One caller at a time.
  package func take() -> UInt8? {
    // Asked at every access of the guest's to its port: the common answer by the shortest way, to which the steps
    // come too.
    let head = memory.head()
    if memory.slot(index(head)) == empty(head), memory.tail() == head { return nil }
    var take = InputTake()
    while true {
      switch take.step(on: self) {
      case .byte(let byte): return byte
      case .nothing: return nil
      case nil: continue
      }
    }
  }

  /// Makes the slot of `position` empty in its lap.
  package func clear(_ position: UInt64) { memory.setSlot(index(position), to: empty(position)) }

  /// Empties every slot that holds what it cannot.
  func mend(from head: UInt64) {
    for position in (0..<count).map({ head &+ $0 }) {
      let slot = memory.slot(index(position))
      if !isEmpty(slot, at: position), !isFull(slot, at: position) {
        clear(position)
      }
    }
  }

  // MARK: producers

  /// Accesses to shared memory that one byte may take: many times what it takes unless somebody spoils the ring.
  private static var putLimit: Int { 4096 }

  /// Puts `byte` in; answers its position, or nil where there is no room.
  package func put(_ byte: UInt8) -> UInt64? {
    var put = InputPut(byte)
    for _ in 0..<Self.putLimit {
      switch put.step(on: self) {
      case .put(let position): return position
      case .full: return nil
      case nil: continue
      }
    }
    return nil
  }
}
