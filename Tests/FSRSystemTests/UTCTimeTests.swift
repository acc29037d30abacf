import FSRSystem
import Foundation
import Testing

@Suite struct UTCTimeTests {
  /// Each day from 1901 to 2238, and a second before it.
  @Test func itIsTheSameAsFoundationHasIt() {
    let style = Date.ISO8601FormatStyle()
    for day in Int64(-25_000)..<98_000 {
      for seconds in [day * 86_400, day * 86_400 - 1] {
        let date = Date(timeIntervalSince1970: Double(seconds))
        let text = UTCTime.text(secondsSince1970: seconds)
        if text != date.formatted(style) {
          Issue.record("\(seconds) is \(date.formatted(style)), not \(text)")
          return
        }
      }
    }
  }

  @Test func nowLiesBetweenTwoLooksAtTheClock() {
    let style = Date.ISO8601FormatStyle()
    let before = Date().formatted(style)
    let now = UTCTime.now()
    #expect(before <= now && now <= Date().formatted(style))
  }
}
