internal import FSRSystem

/// What a pager's thread is asked for, and what it tells, in words that each side loads and stores in one piece.
final class PagerControl: Sendable {
  private let words: MappedRegion
  /// Up where there is something to look at.
  let bell: EventDescriptor

  enum Wish: UInt32, Sendable { case running, quiesced, freezing, end, waiting }

  /// The wish in the lowest byte, and how many came before it above: who asks knows what is the answer to it.
  private static let wishAt: UInt64 = 0
  private static let quietAt: UInt64 = 4
  private static let limitAt: UInt64 = 8
  private static let resumesAt: UInt64 = 16
  private static let troubleAt: UInt64 = 20
  private static let overrunAt: UInt64 = 24
  private static let heededAt: UInt64 = 28
  private static let countersAt: UInt64 = 64
  private static let latencyHeadAt: UInt64 = 1024
  private static let latenciesAt: UInt64 = 4096
  /// Latencies that are kept.
  static let latencyRoom: UInt64 = 8192

  init() throws {
    words = try MappedRegion(anonymous: Self.latenciesAt + Self.latencyRoom * 4)
    bell = try EventDescriptor()
  }

  // MARK: wishes

  private var word: UInt32 { words.atomicLoad(Self.wishAt) }

  /// What is wished, and its number.
  var wish: (Wish, number: UInt32) {
    let word = word
    return (Wish(rawValue: word & 0xff) ?? .end, word >> 8)
  }

  /// Answers with the wish's number. One thread asks at a time.
  ///
  /// - Parameter isToRing: false where the thread need not be woken for it: a wake costs time that the stun has not.
  @discardableResult
  func ask(_ wish: Wish, isToRing: Bool = true) -> UInt32 {
    let number = ((word >> 8) + 1) & 0xff_ffff
    words.atomicStore(number << 8 | wish.rawValue, at: Self.wishAt)
    if isToRing { ring() }
    return number
  }

  /// The number of the wish that was heeded last.
  var heeded: UInt32 { words.atomicLoad(Self.heededAt) }

  func heed(_ number: UInt32) { words.atomicStore(number, at: Self.heededAt) }

  /// Nothing to do about a bell that cannot be rung: its count never fills, as `signal` says.
  func ring() { try? bell.signal() }

  /// Pages; 0 where none was asked for.
  var limit: UInt64 { words.atomicLoad(Self.limitAt) }

  func ask(limit: UInt64) {
    words.atomicStore(limit, at: Self.limitAt)
    ring()
  }

  /// How often the guest was resumed.
  var resumes: UInt32 { words.atomicLoad(Self.resumesAt) }

  func tellResumed() {
    words.atomicStore(resumes &+ 1, at: Self.resumesAt)
    ring()
  }

  // MARK: what is told

  /// Whether evictions are held, and none is under way.
  var isQuiet: Bool { words.atomicLoad(Self.quietAt, as: UInt32.self) == 1 }

  func tell(quiet: Bool) {
    if quiet == isQuiet { return }
    words.atomicStore(UInt32(quiet ? 1 : 0), at: Self.quietAt)
    words.wake(at: Self.quietAt)
  }

  func waitUntilQuiet(_ number: UInt32, deadline: UInt64) -> Bool {
    // An older answer stands for an instant only.
    while heeded != number || !isQuiet {
      let now = MonotonicClock.now()
      if now >= deadline { return false }
      words.wait(at: Self.quietAt, while: 0, timeout: deadline - now)
    }
    return true
  }

  var trouble: PageStoreError? {
    switch words.atomicLoad(Self.troubleAt, as: UInt32.self) {
    case 1: .full
    case 2: .io
    default: nil
    }
  }

  func tell(trouble: PageStoreError?, overrun: Bool) {
    let word: UInt32 =
      switch trouble {
      case nil: 0
      case .full: 1
      case .io: 2
      }
    words.atomicStoreRelaxed(word, at: Self.troubleAt)
    words.atomicStoreRelaxed(UInt32(overrun ? 1 : 0), at: Self.overrunAt)
  }

  var wasOverrun: Bool { words.atomicLoadRelaxed(Self.overrunAt, as: UInt32.self) == 1 }

  func count(_ event: PagerCount) {
    let place = Self.countersAt + UInt64(event.rawValue) * 8
    words.atomicStoreRelaxed(words.atomicLoadRelaxed(place, as: UInt64.self) &+ 1, at: place)
  }

  func counter(_ event: PagerCount) -> UInt64 {
    words.atomicLoadRelaxed(Self.countersAt + UInt64(event.rawValue) * 8)
  }

  // MARK: latencies

  func record(latency: UInt64) {
    let head: UInt64 = words.atomicLoadRelaxed(Self.latencyHeadAt)
    words.atomicStoreRelaxed(
      UInt32(clamping: latency), at: Self.latenciesAt + head % Self.latencyRoom * 4)
    words.atomicStore(head + 1, at: Self.latencyHeadAt)
  }

  func latencies(after cursor: inout UInt64) -> [UInt32] {
    let head: UInt64 = words.atomicLoad(Self.latencyHeadAt)
    let first = max(cursor, head - min(head, Self.latencyRoom))
    cursor = head
    if first >= head { return [] }
    return (first..<head).map {
      words.atomicLoadRelaxed(Self.latenciesAt + $0 % Self.latencyRoom * 4, as: UInt32.self)
    }
  }
}
