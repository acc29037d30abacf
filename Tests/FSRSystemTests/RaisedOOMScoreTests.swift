import FSRSystem
import Testing

@Suite struct RaisedOOMScoreTests {
  private static func score() throws -> String {
    let file = try OwnedDescriptor.open("/proc/self/oom_score_adj", .read)
    return String(decoding: try file.readAll(limit: 64), as: UTF8.self)
  }

  /// Pages that this process is counted with.
  private static func resident() throws -> Int {
    let words = String(
      decoding: try OwnedDescriptor.open("/proc/self/statm", .read).readAll(limit: 256), as: UTF8.self
    ).split(separator: " ")
    return words.count > 1 ? Int(words[1]) ?? 0 : 0
  }

  @Test func itIsTheHighestUntilItIsPutBack() async {
    await #expect(processExitsWith: .success) {
      for before in ["0\n", "77\n"] {
        try OwnedDescriptor.open("/proc/self/oom_score_adj", .readWrite).write(Array(before.utf8))
        guard var raised = RaisedOOMScore(hasBallast: true) else { throw SystemError("write", errno: 1) }
        let meanwhile = try RaisedOOMScoreTests.score()
        let heavy = try RaisedOOMScoreTests.resident()
        raised.shed()
        let light = try RaisedOOMScoreTests.resident()
        #expect(heavy > light + 8192)
        // What a VMM that root starts drops.
        try Capabilities.keepOnly([])
        try raised.putBack()
        let after = try RaisedOOMScoreTests.score()
        #expect(meanwhile == "1000\n" && after == before)
      }
    }
  }
}
