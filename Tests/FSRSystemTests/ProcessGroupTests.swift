import FSRSystem
import FSRTestSupport
import Testing

@Suite struct ProcessGroupTests {
  @Test func whatAChildLeavesBehindEndsWithItsGroup() throws {
    let ends = try PipeEnds()
    let child = try ChildProcess.spawn(
      executable: "/bin/sh", arguments: ["sh", "-c", "sleep 1000 & echo $!"],
      environment: ["PATH=/usr/bin:/bin"],
      inheriting: [.init(ends.writing.number, as: 1)], newSession: true)
    _ = try child.process.waitForExit(timeout: nil)
    let line = String(decoding: try ends.onlyReading().read(limit: 32), as: UTF8.self)
    let left = try ProcessDescriptor.open(pid: try #require(Int32(line.dropLast())))
    let isGone = try left.hasExited()
    #expect(!isGone)
    try ChildProcess.killGroup(ledBy: child.pid)
    _ = try left.waitForExit(timeout: nil)
    // Only the leader is left, which has ended.
    try ChildProcess.killGroup(ledBy: child.pid)
    let status = try child.process.reap()
    #expect(status == .exited(0))
  }
}
