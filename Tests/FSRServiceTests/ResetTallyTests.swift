import FSRService
import Testing

/// How often history and log hear of a guest's resets.
@Suite struct ResetTallyTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func theFirstIsToldAtOnceAndARowSharesItsRecords() {
    let tally = ResetTally()
    let start: UInt64 = 77
    #expect(tally.count(at: start) == "the guest asked for it")
    #expect(tally.wait(at: start) == nil)
    #expect(tally.count(at: start + Self.second / 4) == nil)
    #expect(tally.wait(at: start + Self.second / 4) == Self.second * 3 / 4)
    #expect(tally.count(at: start + Self.second / 2) == nil)
    #expect(tally.due(at: start + Self.second - 1) == nil)
    // What waits is told though no other comes.
    #expect(tally.due(at: start + Self.second) == "the guest asked for it 2 times in 0 s")
    #expect(tally.due(at: start + Self.second) == nil)
  }

  @Test func aDayOfResetsTakesFewRecordsAndForgetsNone() throws {
    let tally = ResetTally()
    var records: [String] = []
    let resets = 86_400 * 4
    for number in 0..<resets {
      if let record = tally.count(at: UInt64(number) * Self.second / 4) { records.append(record) }
    }
    if let record = tally.rest(at: 86_400 * Self.second) { records.append(record) }
    #expect(records.count <= 40)
    let told = records.map { record in
      let words = record.split(separator: " ")
      return words.count > 5 ? Int(words[5]) ?? 0 : 1
    }
    #expect(told.reduce(0, +) == resets)
    #expect(tally.rest(at: 90_000 * Self.second) == nil)
    // Once it was quiet for long, the next is news again.
    let later = 86_400 * Self.second + ResetTally.longest
    #expect(tally.count(at: later) == "the guest asked for it")
    #expect(tally.count(at: later + 1) == nil)
    #expect(tally.wait(at: later + 1) == Self.second - 1)
  }

  @Test func aQuietThatIsTooShortDoesNotMakeRecordsFrequent() {
    let tally = ResetTally()
    var records = 0
    // For half an hour ten in a second, then nothing for as long.
    for second in stride(from: 0, to: 86_400, by: 1) where second % 3600 < 1800 {
      for part in 0..<10 {
        let now = UInt64(second) * Self.second + UInt64(part) * Self.second / 10
        if tally.count(at: now) != nil { records += 1 }
      }
    }
    #expect(records <= 60)
  }
}
