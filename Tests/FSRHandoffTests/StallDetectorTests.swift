import FSRHandoff
import Testing

@Suite struct StallDetectorTests {
  private static let sight = StallDetector.Sight(attempt: 4, word: .none)

  @Test func whatChangesDoesNotStandStill() {
    var detector = StallDetector()
    var sight = Self.sight
    let changes: [(inout StallDetector.Sight) -> Void] = [
      { $0.attempt = 5 }, { $0.word = .destVerify }, { $0.isComplete = true }, { $0.hasEntered = true },
      { $0.sourceReleased = true }, { $0.destinationReleased = true }, { $0.preparedAt = 7 },
    ]
    var moment: UInt64 = 1000
    for change in changes {
      change(&sight)
      detector.note(sight, at: moment)
      #expect(!detector.hasStoodStill(for: 10, at: moment + 10))
      #expect(detector.hasStoodStill(for: 10, at: moment + 11))
      moment += 11
    }
  }

  @Test func whatStaysTheSameIsNoChange() {
    var detector = StallDetector()
    detector.note(Self.sight, at: 1000)
    for moment in [1001, 1005, 1010] as [UInt64] {
      detector.note(Self.sight, at: moment)
      #expect(!detector.hasStoodStill(for: 10, at: moment))
    }
    #expect(detector.hasStoodStill(for: 10, at: 1011))
    // Who is given longer has not stood still for as long.
    #expect(!detector.hasStoodStill(for: 100, at: 1011))
  }

  @Test func noTimeoutIsTooLong() {
    var detector = StallDetector()
    detector.note(Self.sight, at: 10)
    #expect(detector.hasStoodStill(for: .max, at: 10), "it wraps, and is no trap")
  }
}
