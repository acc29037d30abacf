import FSRSystem
import Testing

@Suite struct RaisedOOMScoreTests {
  private static func score() throws -> String {
    let file = try OwnedDescriptor.open("/proc/self/oom_score_adj", .read)
    return String(decoding: try file.readAll(limit: 64), as: UTF8.self)
  }

  @Test func itIsTheHighestUntilItIsPutBack() async {
    await #expect(processExitsWith: .success) {
      for before in ["0\n", "77\n"] {
        try OwnedDescriptor.open("/proc/self/oom_score_adj", .readWrite).write(Array(before.utf8))
        guard let raised = RaisedOOMScore() else { throw SystemError("write", errno: 1) }
        let meanwhile = try RaisedOOMScoreTests.score()
        // What a VMM that root starts drops.
        try Capabilities.keepOnly([])
        try raised.putBack()
        let after = try RaisedOOMScoreTests.score()
        #expect(meanwhile == "1000\n" && after == before)
      }
    }
  }
}
