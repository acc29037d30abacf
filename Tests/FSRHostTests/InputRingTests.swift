import FSRHost
import FSRTestSupport
import Testing

@Suite struct InputRingTests {
  private static func ring(slots: Int = 8, head: UInt64 = 0) -> InputRing<WordMemory> {
    let ring = InputRing(
      WordMemory(.init(head: head, tail: head, slots: Array(repeating: 0, count: slots))),
      count: UInt64(slots))
    for position in (0..<UInt64(slots)).map({ head &+ $0 }) { ring.clear(position) }
    return ring
  }

  private static func drain(_ ring: InputRing<WordMemory>) -> [UInt8] {
    var bytes: [UInt8] = []
    while let byte = ring.take() { bytes.append(byte) }
    return bytes
  }

  @Test func memoryOfZerosIsAnEmptyRing() {
    let ring = InputRing(
      WordMemory(.init(head: 0, tail: 0, slots: Array(repeating: 0, count: 4))), count: 4)
    #expect(ring.take() == nil)
    #expect(ring.put(7) == 0)
    #expect(ring.take() == 7)
    #expect(ring.take() == nil)
  }

  @Test(arguments: [0, 8 * 0x7f_ffff, UInt64.max - 3] as [UInt64])
  func bytesComeOutInTheirOrderOverManyLaps(start: UInt64) {
    let ring = Self.ring(head: start)
    var random = SeededGenerator(seed: start)
    var (put, taken) = (0, 0)
    for _ in 0..<2000 {
      for _ in 0..<Int.random(in: 0...9, using: &random)
      where ring.put(UInt8(truncatingIfNeeded: put)) != nil {
        put += 1
      }
      for _ in 0..<Int.random(in: 0...9, using: &random) {
        guard let byte = ring.take() else { break }
        #expect(byte == UInt8(truncatingIfNeeded: taken))
        taken += 1
      }
    }
    #expect(put > 5000 && Self.drain(ring).count == put - taken)
  }

  @Test func aFullRingTakesNothingMoreUntilThereIsRoom() {
    let ring = Self.ring()
    for number in 0..<8 { #expect(ring.put(UInt8(number)) == UInt64(number)) }
    #expect(ring.put(8) == nil && ring.put(8) == nil)
    #expect(ring.take() == 0)
    #expect(ring.put(8) == 8 && ring.put(9) == nil)
    #expect(Self.drain(ring) == Array(1...8))
  }

  /// Two producers and the consumer in every interleaving, with producers killed between any two accesses.
  @Test(arguments: [
    InputWorld(slots: 2, start: 0, goals: [2, 2], kills: 1),
    InputWorld(slots: 2, start: 2 * 0x7f_ffff, goals: [3, 1], kills: 2),
    InputWorld(slots: 2, start: .max - 1, goals: [2, 2], kills: 1),
    InputWorld(slots: 1, start: 0, goals: [2, 1], kills: 1),
    InputWorld(slots: 4, start: 0, goals: [2, 2], kills: 2),
    InputWorld(slots: 2, start: 0, goals: [1, 1, 1], kills: 1),
  ])
  func nothingIsLostOrDoubledInAnyInterleaving(first: InputWorld) throws {
    let ring = Self.ring(slots: first.words.slots.count)
    var seen: Set<InputWorld> = [first]
    var open = [first]
    var rests = 0
    while let world = open.popLast() {
      if world.producers.allSatisfy(\.isDone), try Self.isAtRest(world, ring) { rests += 1 }
      try Self.checkAloneItEnds(world, ring)
      for next in try world.next(on: ring) where seen.insert(next).inserted { open.append(next) }
    }
    #expect(rests > 0 && seen.count > 500, "\(seen.count) worlds")
  }

  /// Lets the consumer take all that is there; then everything has to be there once, and the ring works on.
  private static func isAtRest(_ world: InputWorld, _ ring: InputRing<WordMemory>) throws -> Bool {
    guard world.take == InputTake() else { return false }
    ring.memory.words = world.words
    var last = world
    while let byte = ring.take() {
      guard byte == InputWorld.byte(Int(byte >> 4), last.taken[Int(byte >> 4)]) else {
        throw Wrong("\(byte) in \(world)")
      }
      last.taken[Int(byte >> 4)] += 1
    }
    try last.checkRest()
    guard ring.put(0xaa) != nil, ring.take() == 0xaa, ring.take() == nil else {
      throw Wrong("stuck: \(world)")
    }
    return true
  }

  /// Whoever goes on alone comes to an end soon, wherever the others stand still.
  private static func checkAloneItEnds(_ world: InputWorld, _ ring: InputRing<WordMemory>) throws {
    for producer in world.producers {
      guard var put = producer.put else { continue }
      ring.memory.words = world.words
      let steps = (0..<24).first { _ in put.step(on: ring) != nil }
      if steps == nil { throw Wrong("goes round and round: \(world)") }
    }
  }

  @Test func aProducerThatDiesBehindItsSlotHoldsNobodyUp() {
    let ring = Self.ring()
    var dead = InputPut(1)
    // Tail, head, slot, claim: then it dies.
    for _ in 0..<4 { #expect(dead.step(on: ring) == nil) }
    #expect(ring.memory.words.tail == 0)
    #expect(ring.put(2) == 1)
    #expect(Self.drain(ring) == [1, 2])

    var another = InputPut(3)
    for _ in 0..<4 { _ = another.step(on: ring) }
    // Taken with the tail still behind: the next producer mends it.
    #expect(ring.take() == 3 && ring.memory.words.tail == 2)
    #expect(ring.put(4) == 3)
    #expect(Self.drain(ring) == [4])
  }

  /// Any process of the same user may write here: it costs typed bytes, and nothing else.
  @Test func aSpoiltRingComesRoundByItself() {
    for seed in 0..<5000 {
      var random = SeededGenerator(seed: UInt64(seed))
      let ring = Self.ring(head: [0, 100, .max - 5][seed % 3])
      for _ in 0..<Int.random(in: 0..<20, using: &random) { _ = ring.put(1) }
      for _ in 0..<Int.random(in: 0..<20, using: &random) { _ = ring.take() }
      Self.spoil(ring.memory, using: &random)
      // Two bytes' worth of steps for every slot of a lap, at most.
      for _ in 0..<16 {
        let rubbish = Self.drain(ring).count
        #expect(rubbish <= 9)
        _ = ring.put(0xee)
      }
      _ = Self.drain(ring)
      var count: UInt8 = 0
      for _ in 0..<40 {
        guard ring.put(count) != nil else { break }
        guard ring.take() == count else { break }
        count += 1
      }
      #expect(count == 40, "seed \(seed): \(ring.memory.words)")
    }
  }

  private static func spoil(_ memory: WordMemory, using random: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let near = memory.words.head &+ UInt64.random(in: 0..<12, using: &random) &- 2
      let value = Bool.random(using: &random) ? near : UInt64.random(in: .min ... .max, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: memory.setHead(value)
      case 1: memory.words.tail = value
      default:
        memory.setSlot(UInt64.random(in: 0..<8, using: &random), to: UInt32(truncatingIfNeeded: value))
      }
    }
  }
}
