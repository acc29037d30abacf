/// What a stop is asked of and seen in, each in one piece.
///
/// What the threads of harts do is written against this, so that a test can put anything between any two of them.
package protocol StopPlace {
  var harts: Int { get }
  /// Whether the first hart is to stop last, and is asked only once all others stand.
  var isFirstLast: Bool { get }
  /// Which stop was asked for that has neither come to its deed nor been taken back; nil where there is none.
  var askedStop: UInt32? { get }
  /// Harts that stand at the gate.
  var arrivedCount: Int { get }
  var hasGuestEnded: Bool { get }
  /// Runs `body` while nobody lets the harts run, or holds them for another reason.
  func withHolds(_ body: () -> Void)
  func askFirst()
  /// Takes the stop that was seen as `asked` to its deed; false where it was taken back, also where another was asked
  /// for since, or another hart was first.
  func begin(_ asked: UInt32) -> Bool
}

/// What the thread of a hart does that has come to the gate: the last to come does what a stop was for. One step at a time.
package struct StopArrival: Hashable, Sendable {
  private enum Step: Hashable {
    case look, count
    case ask(Int)
    case countAgain(Int)
    case judge, begin
  }

  private var step = Step.look
  /// The stop that this arrival is for: harts that stood for it may have gone by a later one's time.
  private var stop: UInt32 = 0

  package init() {}

  /// Takes the next step; answers whether the deed is this thread's, once that is known.
  package mutating func step(on place: some StopPlace) -> Bool? {
    switch step {
    case .look:
      guard let asked = place.askedStop else { return false }
      stop = asked
      step = .count
    case .count:
      let count = place.arrivedCount
      // The first hart stops last: the destination's first thread waits on the same processor.
      step = place.isFirstLast && count >= place.harts - 1 ? .ask(count) : .countAgain(count)
    case .ask(let count):
      // Not where the stop was taken back meanwhile: nobody would tell the first hart to go on.
      place.withHolds { if place.askedStop == stop { place.askFirst() } }
      step = .countAgain(count)
    case .countAgain(let count):
      // Looked at again: the first hart may have gone in between, and not been told yet.
      guard count == place.harts, place.arrivedCount == place.harts else { return false }
      step = .judge
    case .judge:
      // A guest that has ended itself is not handed over.
      guard !place.hasGuestEnded else { return false }
      step = .begin
    case .begin: return place.begin(stop)
    }
    return nil
  }
}
