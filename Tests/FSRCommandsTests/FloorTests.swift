import FSRCommands
import FSRSystem
import FSRTestSupport
import Testing

@Suite(.serialized) struct FloorTests {
  @Test(arguments: [1, 2, 5]) func aSwitchIsMeasuredAgainAndAgain(threads: Int) throws {
    var floor = try Floor(threads: threads, executable: BuiltCommand.path())
    var latencies = Latencies()
    for _ in 0..<20 {
      let time = try floor.sample()
      #expect(time > 0 && time < 5_000_000_000)
      latencies.add(time)
    }
    #expect(latencies.count == 20)
  }

  @Test func theCallersSchedulingIsAsBefore() throws {
    let policy = try Scheduling.policy(of: 0)
    let affinity = try Scheduling.affinity(of: 0)
    do {
      var floor = try Floor(threads: 1, executable: BuiltCommand.path())
      _ = try floor.sample()
    }
    let after = (try Scheduling.policy(of: 0), try Scheduling.affinity(of: 0))
    #expect(after.0 == policy && after.1 == affinity)
  }

  @Test func aPeerThatCannotStartIsAnError() {
    #expect(throws: FloorError.self) { _ = try Floor(threads: 1, executable: "/nonexistent/fsr") }
  }
}
