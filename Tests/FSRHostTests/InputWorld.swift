import FSRHost
import Synchronization

/// The ring's words in a test's own hands, to be put into any state.
final class WordMemory: InputMemory, Sendable {
  struct Words: Hashable, Sendable {
    var head: UInt64
    var tail: UInt64
    var slots: [UInt32]
  }

  private let held: Mutex<Words>

  init(_ words: Words) { held = Mutex(words) }

  var words: Words {
    get { held.withLock { $0 } }
    set { held.withLock { $0 = newValue } }
  }

  func head() -> UInt64 { words.head }
  func setHead(_ value: UInt64) { words.head = value }
  func tail() -> UInt64 { words.tail }
  func moveTail(from expected: UInt64, to desired: UInt64) {
    if words.tail == expected { words.tail = desired }
  }
  func slot(_ index: UInt64) -> UInt32 { words.slots[Int(index)] }
  func setSlot(_ index: UInt64, to value: UInt32) { words.slots[Int(index)] = value }
  func exchangeSlot(_ index: UInt64, expected: UInt32, desired: UInt32) -> Bool {
    guard words.slots[Int(index)] == expected else { return false }
    words.slots[Int(index)] = desired
    return true
  }
}

/// A ring, its producers and its consumer at one moment; what each may do next leads to other worlds.
struct InputWorld: Hashable, Sendable {
  struct Producer: Hashable, Sendable {
    /// Bytes that are in, and how many it has to put.
    var count = 0
    let goal: Int
    var put: InputPut?
    var isDead = false

    var isDone: Bool { isDead || (count == goal && put == nil) }
  }

  var words: WordMemory.Words
  var producers: [Producer]
  var take = InputTake()
  /// Of every producer how many bytes came out.
  var taken: [Int]
  var kills: Int

  init(slots: Int, start: UInt64, goals: [Int], kills: Int) {
    // As in a ring that has gone round before: every slot empty in the lap in which it comes next.
    let ring = InputRing(
      WordMemory(.init(head: start, tail: start, slots: Array(repeating: 0, count: slots))),
      count: UInt64(slots))
    for position in (0..<UInt64(slots)).map({ start &+ $0 }) { ring.clear(position) }
    words = ring.memory.words
    producers = goals.map { Producer(goal: $0) }
    taken = goals.map { _ in 0 }
    self.kills = kills
  }

  static func byte(_ producer: Int, _ number: Int) -> UInt8 { UInt8(producer << 4 | number) }

  /// All that may come of one step of one party, or what is wrong with it.
  func next(on ring: InputRing<WordMemory>) throws -> [InputWorld] {
    var worlds = [try consumed(on: ring)]
    for index in producers.indices where !producers[index].isDone {
      worlds.append(try produced(index, on: ring))
      if kills > 0, producers[index].put != nil {
        var killed = self
        killed.producers[index].isDead = true
        killed.producers[index].put = nil
        killed.kills -= 1
        worlds.append(killed)
      }
    }
    return worlds
  }

  private func consumed(on ring: InputRing<WordMemory>) throws -> InputWorld {
    var world = self
    ring.memory.words = words
    let outcome = world.take.step(on: ring)
    world.words = ring.memory.words
    guard let outcome else { return world }
    world.take = InputTake()
    if case .byte(let byte) = outcome {
      let producer = Int(byte >> 4)
      // Each producer's bytes come once and in their order.
      guard byte == Self.byte(producer, world.taken[producer]) else {
        throw Wrong("took \(byte) after \(world.taken) in \(self)")
      }
      world.taken[producer] += 1
    }
    return world
  }

  private func produced(_ index: Int, on ring: InputRing<WordMemory>) throws -> InputWorld {
    var world = self
    ring.memory.words = words
    var put = world.producers[index].put ?? InputPut(Self.byte(index, producers[index].count))
    let outcome = put.step(on: ring)
    world.words = ring.memory.words
    switch outcome {
    case nil: world.producers[index].put = put
    case .put:
      world.producers[index].put = nil
      world.producers[index].count += 1
    case .full:
      world.producers[index].put = nil
      guard words.slots.allSatisfy({ $0 >> 8 & 1 == 1 }) else { throw Wrong("called full: \(self)") }
    }
    return world
  }

  /// What has to hold once all producers are done and the consumer has found nothing more.
  func checkRest() throws {
    for (index, producer) in producers.enumerated() {
      // A producer that was killed may have had one more byte in.
      let deadline = producer.isDead ? 1 : 0
      guard (producer.count...producer.count + deadline).contains(taken[index]) else {
        throw Wrong("lost: \(self)")
      }
    }
  }
}

struct Wrong: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
