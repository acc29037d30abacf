import FSRSystem
import FSRTestSupport
import Testing

@Suite(.serialized) struct DemoTests {
  private func folders() throws -> Set<String> {
    Set(try Directory.open("/dev/shm").names(limit: 10_000).filter { $0.hasPrefix("fsr-demo-") })
  }

  /// What stays of demos that came since `before`; those of other tests go by themselves.
  private func leftovers(since before: Set<String>) throws -> Set<String> {
    let deadline = MonotonicClock.now() + 60_000_000_000
    while true {
      let left = try folders().subtracting(before)
      if left.isEmpty || MonotonicClock.now() >= deadline { return left }
      MonotonicClock.sleep(10_000_000)
    }
  }

  @Test func theDemoShowsHandoffsAndClearsUp() throws {
    let result = try BuiltCommand.run(["demo", "--handoffs", "2", "--memory", "32M", "--json"])
    let answer = try JSONValue(parsing: result.output)
    #expect(result.code == 0 && result.errors.isEmpty && answer["ok"] == .bool(true), "\(result)")
    #expect(answer["handoffs"]?.elements.count == 2 && answer["after"]?["errors"]?.number == 0)
    #expect(answer["processes_left"]?.number == 0 && answer["files_left"]?.number == 0)
  }

  /// Of one that was killed with all that it had started. The folders get their names once they are as the demo is
  /// to find them: a demo of another test looks at the same place at the same time.
  @Test func whatIsLeftOfFormerOnesGoesWithTheNext() throws {
    let result = try BuiltCommand.shell(
      """
      cd /dev/shm; id=$(printf %x $$)
      empty=fsr-demo-a$id; used=fsr-demo-b$id; other=fsr-demo-c$id; killed=fsr-bench-d$id
      for one in $empty $used $other $killed; do mkdir -m 700 new-$one; done
      echo kept > new-$other/file
      exec 9< new-$used; flock --shared 9
      "$FSR" run bench --memory 16M --runtime-dir $PWD/new-$killed > new-$other/said || exit 90
      VM=$("$FSR" status bench --json --runtime-dir $PWD/new-$killed | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      kill -9 $VM; while [ -e /proc/$VM/fd/0 ]; do sleep 0.01; done
      for one in $empty $used $other $killed; do mv new-$one $one; done
      "$FSR" demo --handoffs 1 --memory 32M --json > $other/said || exit 91
      for one in $empty $used $other $killed; do [ -e $one ] && echo ${one%$id}; done
      cat $other/file; rm $other/file $other/said; rmdir $used $other
      """)
    #expect(result.code == 0 && result.output == "fsr-demo-b\nfsr-demo-c\nkept\n", "\(result)")
  }

  @Test func theDemoTellsPeopleWhatItShows() throws {
    let result = try BuiltCommand.run(["demo", "--handoffs", "1", "--memory", "32M"])
    #expect(result.code == 0 && result.output.contains("handoff 1: process"), "\(result)")
    #expect(result.output.contains("0 errors") && result.output.contains("no process, no file, no memory"))
    #expect(!result.output.contains("\u{1b}"))
  }

  /// Runs a demo that is sent a signal while it is at work; answers how it ended, and what it said.
  private func interrupted(by number: Int32, _ script: String) throws -> (FSRSystem.ExitStatus?, String) {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let child = try ChildProcess.spawn(
      executable: "/bin/bash", arguments: ["bash", "-c", script], environment: ["FSR=\(BuiltCommand.path())"],
      inheriting: [.init(output.number, as: 1), .init(output.number, as: 2)])
    // It is at work once the first handoff is told.
    while try !text(in: place).contains("handoff 1:") {
      let isOver = try child.process.waitForExit(timeout: 10_000_000)
      if isOver { break }
    }
    _ = try child.process.signal(number)
    return (try child.ended(), try text(in: place))
  }

  @Test(arguments: [SignalNumber.terminate, SignalNumber.interrupt, SignalNumber.hangup])
  func anInterruptedDemoClearsUp(number: Int32) throws {
    let before = try folders()
    let (status, text) = try interrupted(by: number, "exec \"$FSR\" demo --handoffs 100000 --memory 32M")
    let left = try leftovers(since: before)
    #expect(status == .exited(1) && left.isEmpty && text.contains("interrupted"), "\(text)")
  }

  @Test func whoIsToOutliveTheTerminalDoes() throws {
    let before = try folders()
    let (status, text) = try interrupted(
      by: SignalNumber.hangup, "trap '' HUP; exec \"$FSR\" demo --handoffs 3 --memory 32M")
    let left = try leftovers(since: before)
    #expect(status == .exited(0) && left.isEmpty && text.contains("handoff 3:"), "\(text)")
  }

  private func text(in place: borrowing TemporaryDirectory) throws -> String {
    String(decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 24), as: UTF8.self)
  }
}
