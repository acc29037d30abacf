import FSRClient
import FSRHost
import Testing

@Suite struct HistoryFileTests {
  private static func record(_ id: String) -> HistoryRecord {
    var record = HistoryRecord(id: id, event: "handoff")
    record.victor = "destination"
    record.downtimeMicroseconds = 170
    record.askedByUser = 0
    return record
  }

  @Test func whatIsWrittenIsRead() {
    let records = ["a", "b\u{1b}\n\"c"].map(Self.record)
    let history = HistoryFile(records.flatMap(\.line))
    #expect(history.records == records && history.skipped == 0 && history.unreadBytes == 0)
    #expect(HistoryFile([]).records.isEmpty)
  }

  @Test func theNewestHandoffsTellOfTheNext() {
    func record(_ event: String, _ victor: String, _ downtime: UInt64?) -> HistoryRecord {
      var record = HistoryRecord(id: "a", event: event)
      record.victor = victor
      record.downtimeMicroseconds = downtime
      return record
    }
    var history = HistoryFile([])
    history.records = [record("handoff", "destination", 5), record("handoff", "destination", 7)]
    #expect(history.expectedDowntime == nil)
    // What came to nothing counts for nothing.
    history.records += [record("handoff", "source", 900), record("check", "source", nil)]
    #expect(history.expectedDowntime == nil)
    history.records += [record("handoff", "destination", 6)]
    #expect(history.expectedDowntime == 6)
    history.records += (0..<20).map { _ in record("handoff", "destination", 40) }
    #expect(history.expectedDowntime == 40)
    // Half of the newest and one more: the older ones count for nothing.
    history.records += (0..<11).map { _ in record("handoff", "destination", 90) }
    #expect(history.expectedDowntime == 90)
  }

  @Test func recordsOfOlderBuildsAreRead() throws {
    let line =
      #"{"event":"handoff","from_build":"old","id":"7-2","phases":[{"duration_us":5,"name":"start","start_us":0}],"reason":null,"time":"2026-01-02T03:04:05Z","to_build":"new","victor":"destination"}"#
    let history = HistoryFile(Array((line + "\n").utf8))
    let record = try #require(history.records.first)
    #expect(history.skipped == 0 && record.id == "7-2" && record.fromBuild == "old")
    #expect(record.phases.map(\.duration) == [5] && record.askedByPID == nil && record.attempt == nil)
  }

  @Test func aKeyOfALaterBuildDoesNoHarm() {
    let line = String(decoding: Self.record("a").line, as: UTF8.self)
    let later = "{\"later\":[1]," + line.dropFirst()
    #expect(
      HistoryFile(Array(later.utf8)).records
        == [Self.record("a")].map { record in
          var record = record
          record.time = HistoryFile(Array(later.utf8)).records.first?.time ?? ""
          return record
        })
  }

  @Test func everyCutLeavesTheOtherRecords() {
    let first = Self.record("first").line
    let second = Self.record("second").line
    for cut in 1..<(second.count - 1) {
      let corrupt = first + Array(second[..<cut]) + Array("\n".utf8) + first
      let history = HistoryFile(corrupt)
      #expect(history.records.map(\.id) == ["first", "first"] && history.skipped == 1)
    }
    // Without its line break the last record is whole all the same.
    #expect(HistoryFile(first + second.dropLast()).records.count == 2)
  }

  @Test(arguments: [
    "{}", "[]", "null", "\0", "{\"id\":5}", "\u{ff}\u{fe}",
  ])
  func whatIsNoRecordIsSkipped(line: String) { Self.isSkipped(line) }

  @Test func whatIsNestedWithoutEndIsNoRecord() { Self.isSkipped(String(repeating: "[", count: 60_000)) }

  private static func isSkipped(_ line: String) {
    let history = HistoryFile(Array((line + "\n").utf8) + Self.record("a").line)
    #expect(history.records.map(\.id) == ["a"] && history.skipped == 1)
  }

  @Test func aLineIsBounded() {
    var long = Self.record("long")
    long.reason = String(repeating: "x", count: HistoryFile.lineLimit)
    let history = HistoryFile(long.line + Self.record("a").line)
    #expect(history.records.map(\.id) == ["a"] && history.skipped == 1)
  }

  @Test func aTailBeginsWithAWholeLine() {
    let bytes = Self.record("first").line + Self.record("second").line
    let history = HistoryFile(Array(bytes.dropFirst(10)), isTail: true)
    #expect(history.records.map(\.id) == ["second"] && history.skipped == 0)
  }
}
