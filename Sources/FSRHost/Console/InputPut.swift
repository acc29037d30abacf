/// A byte on its way into an `InputRing`: each step is one access to shared memory, between any two of which
/// the producer may be killed.
package struct InputPut: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    /// It is in, at this position.
    case put(UInt64)
    /// There is no room.
    case full
  }

  private enum Step: Hashable {
    case readTail
    case readHead(tail: UInt64)
    case readSlot(UInt64)
    case claim(UInt64)
    /// Then the byte is in, or it begins anew.
    case moveTail(from: UInt64, to: UInt64, isIn: Bool)
  }

  private let byte: UInt8
  private var step = Step.readTail

  package init(_ byte: UInt8) { self.byte = byte }

  /// Takes the next step; answers what became of the byte once that is known.
  package mutating func step(on ring: InputRing<some InputMemory>) -> Outcome? {
    switch step {
    case .readTail:
      step = .readHead(tail: ring.memory.tail())
    case .readHead(let tail):
      // Read after the tail, so that in sound memory only a tail that is behind lies outside.
      let head = ring.memory.head()
      step =
        tail &- head > ring.count ? .moveTail(from: tail, to: head, isIn: false) : .readSlot(tail)
    case .readSlot(let position):
      let slot = ring.memory.slot(ring.index(position))
      if ring.isEmpty(slot, at: position) {
        step = .claim(position)
      } else if ring.isFull(slot, at: position) {
        step = .moveTail(from: position, to: position &+ 1, isIn: false)
      } else if ring.isFull(slot, at: position &- ring.count) {
        return .full
      } else {
        step = .readTail
      }
    case .claim(let position):
      let isClaimed = ring.memory.exchangeSlot(
        ring.index(position), expected: ring.empty(position), desired: ring.full(position, byte))
      step = isClaimed ? .moveTail(from: position, to: position &+ 1, isIn: true) : .readTail
    case .moveTail(let from, let to, let isIn):
      ring.memory.moveTail(from: from, to: to)
      if isIn { return .put(from) }
      step = .readTail
    }
    return nil
  }
}
