import FSRSystem
import FSRTestSupport
import Testing

@Suite(.serialized) struct DemoTests {
  private func leftovers() throws -> [String] {
    try Directory.open("/dev/shm").names(limit: 10_000).filter { $0.hasPrefix("fsr-demo-") }
  }

  @Test func theDemoShowsHandoffsAndClearsUp() throws {
    let result = try BuiltCommand.run(["demo", "--handoffs", "2", "--memory", "32M", "--json"])
    let answer = try JSONValue(parsing: result.output)
    #expect(result.code == 0 && result.errors.isEmpty && answer["ok"] == .bool(true), "\(result)")
    #expect(answer["handoffs"]?.elements.count == 2 && answer["after"]?["errors"]?.number == 0)
    #expect(answer["processes_left"]?.number == 0 && answer["files_left"]?.number == 0)
  }

  @Test func theDemoTellsPeopleWhatItShows() throws {
    let result = try BuiltCommand.run(["demo", "--handoffs", "1", "--memory", "32M"])
    #expect(result.code == 0 && result.output.contains("handoff 1: process"), "\(result)")
    #expect(result.output.contains("0 errors") && result.output.contains("no process, no file, no memory"))
    #expect(!result.output.contains("\u{1b}"))
  }

  @Test func anInterruptedDemoClearsUp() throws {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(), arguments: ["fsr", "demo", "--handoffs", "100000", "--memory", "32M"],
      environment: [], inheriting: [.init(output.number, as: 1), .init(output.number, as: 2)])
    // It is at work once the first handoff is told.
    while try !text(in: place).contains("handoff 1:") {
      let isOver = try child.process.waitForExit(timeout: 10_000_000)
      if isOver { break }
    }
    _ = try child.process.signal(SignalNumber.terminate)
    _ = try child.process.waitForExit(timeout: nil)
    let status = try child.process.reap()
    let left = try leftovers()
    #expect(status == .exited(1) && left.isEmpty)
    let all = try text(in: place)
    #expect(all.contains("interrupted"))
  }

  private func text(in place: borrowing TemporaryDirectory) throws -> String {
    String(decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 24), as: UTF8.self)
  }
}
