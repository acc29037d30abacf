import FSRReference
import FSRState
import Synchronization

/// The words of a stop in a test's own hands, to be put into any state.
final class StopWords: StopPlace, Sendable {
  enum Stop { case none, asked, switching, cancelled }

  struct Words: Hashable, Sendable {
    var stop = Stop.none
    /// How many stops were asked for.
    var number: UInt32 = 0
    /// Odd where it is open; each closing makes another number of it.
    var gate = 1
    var arrived = 0
    /// Whether each hart was told to leave the guest.
    var told: [Bool]
    var deeds = 0
  }

  private let held: Mutex<Words>
  let harts: Int
  let isFirstLast: Bool
  let hasGuestEnded = false

  init(_ words: Words, isFirstLast: Bool) {
    held = Mutex(words)
    harts = words.told.count
    self.isFirstLast = isFirstLast
  }

  var words: Words {
    get { held.withLock { $0 } }
    set { held.withLock { $0 = newValue } }
  }

  var askedStop: UInt32? { words.stop == .asked ? words.number : nil }
  var arrivedCount: Int { words.arrived }
  func withHolds(_ body: () -> Void) { body() }
  func askFirst() { words.told[0] = true }

  func begin(_ asked: UInt32) -> Bool {
    guard words.stop == .asked, words.number == asked else { return false }
    words.stop = .switching
    return true
  }
}

/// Harts, their threads, and a session that stops the guest and takes that back, at one moment; what each may do next leads
/// to other worlds.
struct StopWorld: Hashable {
  /// Where the thread of a hart is, as in `VCPUThreads.run` and `park`.
  enum Thread: Hashable {
    case inGuest
    case arriving
    /// At the gate, which was as it says when it looked.
    case judging(StopArrival, gate: Int)
    case waiting(gate: Int)
    case passing
    case leaving
  }

  enum Session: Hashable {
    case idle
    case asking(Int)
    case asked
    case cancelled
    case over
  }

  var words: StopWords.Words
  var threads: [Thread]
  var session = Session.idle
  /// Stops that are still to come.
  var stops: Int
  /// Whether one was taken back, whose deed must not come.
  var isTakenBack = false

  init(harts: Int, stops: Int) {
    words = StopWords.Words(told: Array(repeating: false, count: harts))
    threads = Array(repeating: .inGuest, count: harts)
    self.stops = stops
  }

  /// All that may come of one step of one party.
  func next(isFirstLast: Bool) throws -> [StopWorld] {
    var worlds = sessions(isFirstLast)
    for hart in threads.indices { if let world = try stepped(hart, isFirstLast) { worlds.append(world) } }
    return worlds
  }

  private func sessions(_ isFirstLast: Bool) -> [StopWorld] {
    var world = self
    switch session {
    case .idle:
      guard stops > 0 else { return [] }
      world.stops -= 1
      world.isTakenBack = false
      world.words.deeds = 0
      world.words.stop = .asked
      world.words.number += 1
      world.words.gate += world.words.gate & 1 == 1 ? 1 : 2
      world.session = .asking(isFirstLast ? 1 : 0)
    case .asking(let hart):
      if hart < threads.count { world.words.told[hart] = true }
      world.session = hart + 1 < threads.count ? .asking(hart + 1) : .asked
    case .asked:
      // What was begun is waited for; else it may be taken back at any moment.
      switch words.stop {
      case .asked:
        world.words.stop = .cancelled
        world.isTakenBack = true
        world.session = .cancelled
      case .switching:
        guard words.deeds == 1 else { return [] }
        world.session = .cancelled
      case .none, .cancelled: return []
      }
    case .cancelled:
      world.words.stop = .none
      world.session = .over
    case .over:
      // With the holds at hand: nobody who has them too comes in between.
      for hart in threads.indices { world.words.told[hart] = false }
      world.words.gate |= 1
      world.session = .idle
    }
    return [world]
  }

  private func stepped(_ hart: Int, _ isFirstLast: Bool) throws -> StopWorld? {
    var world = self
    switch threads[hart] {
    case .inGuest:
      guard words.told[hart] else { return nil }
      world.threads[hart] = .arriving
    case .arriving:
      world.words.arrived += 1
      world.threads[hart] = .judging(StopArrival(), gate: words.gate)
    case .judging(var arrival, let gate):
      let place = StopWords(words, isFirstLast: isFirstLast)
      let isMine = arrival.step(on: place)
      world.words = place.words
      switch isMine {
      case nil: world.threads[hart] = .judging(arrival, gate: gate)
      case true?: try world.doDeed(hart, gate)
      case false?: world.threads[hart] = gate & 1 == 1 ? .passing : .waiting(gate: gate)
      }
    case .waiting(let gate):
      if words.gate == gate { return nil }
      world.threads[hart] = .judging(StopArrival(), gate: words.gate)
    case .passing:
      world.words.arrived -= 1
      world.threads[hart] = .leaving
    case .leaving: world.threads[hart] = words.gate & 1 == 1 ? .inGuest : .arriving
    }
    return world
  }

  private mutating func doDeed(_ hart: Int, _ gate: Int) throws {
    words.deeds += 1
    guard !isTakenBack, words.deeds == 1 else {
      throw Wrong("a deed that was taken back, or a second one: \(self)")
    }
    // Who is on the way out looks at the gate once more, and finds it closed.
    guard !threads.contains(.inGuest) else {
      throw Wrong("a hart is in the guest: \(self)")
    }
    threads[hart] = gate & 1 == 1 ? .passing : .waiting(gate: gate)
  }

  /// What has to hold where the session is done and nobody has anything to do but to run the guest.
  func checkRest() throws {
    guard session == .idle, stops == 0 else { return }
    guard threads.allSatisfy({ $0 == .inGuest }), words.arrived == 0, !words.told.contains(true) else {
      throw Wrong("it does not go on: \(self)")
    }
  }

  /// Whether somebody was told to stop whom nobody lets go on any more.
  func checkTold() throws {
    let isAtWork = threads.contains { if case .judging = $0 { true } else { false } }
    if session == .idle, stops == 0, !isAtWork, words.told.contains(true) {
      throw Wrong("a hart is told to stop for ever: \(self)")
    }
  }
}

/// What a world must not come to.
struct Wrong: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
