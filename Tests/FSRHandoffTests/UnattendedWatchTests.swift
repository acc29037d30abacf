import FSRHandoff
import Testing

@Suite struct UnattendedWatchTests {
  @Test func whatMovesGoesOn() {
    var watch = UnattendedWatch()
    watch.begin(at: 0, timeout: 100)
    for moment in stride(from: 0, through: 1000, by: 50) as StrideThrough<UInt64> {
      watch.note([moment], at: moment, timeout: 100)
      #expect(watch.isGoingOn && !watch.isToGiveUp(at: moment))
    }
    // It stands still from 1000 on.
    watch.note([1000], at: 1099, timeout: 100)
    #expect(watch.isGoingOn && !watch.isToGiveUp(at: 1099))
    watch.note([1000], at: 1100, timeout: 100)
    #expect(!watch.isGoingOn && watch.isToGiveUp(at: 1100))
  }

  /// The first look has nothing to compare with, and gives no time beyond what it has from the beginning.
  @Test func theFirstLookIsNoMove() {
    var watch = UnattendedWatch()
    watch.begin(at: 0, timeout: 100)
    watch.note([1], at: 90, timeout: 100)
    #expect(watch.isGoingOn && watch.isToGiveUp(at: 100))
  }

  @Test func whatCannotGoOnDoesNot() {
    var watch = UnattendedWatch()
    watch.begin(at: 0, timeout: 100)
    watch.note([1], at: 1, timeout: 100)
    watch.note(nil, at: 2, timeout: 100)
    #expect(!watch.isGoingOn)
  }

  @Test func whatIsOverIsNeverGivenUp() {
    var watch = UnattendedWatch()
    watch.begin(at: 0, timeout: 100)
    watch.end()
    #expect(!watch.isToGiveUp(at: .max - 1))
  }
}
