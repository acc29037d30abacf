import FSRTestSupport
import Testing

@Suite struct UsageTests {
  @Test(arguments: [
    ["nonsense"], ["run"], ["run", "a/b"], ["run", "../a"], ["run", String(repeating: "n", count: 300)],
    ["run", ""], ["run", "a", "b"], ["run", "a", "--memory", "0"],
    ["run", "a", "--memory", "9223372036854775808"],
    ["run", "a", "--memory", "4097"], ["run", "a", "--memory", "1K"], ["run", "a", "--memory", "1000000T"],
    ["run", "a", "--memory", "much"], ["run", "a", "--memory", "-1"], ["run", "a", "--vcpus", "0"],
    ["run", "a", "--vcpus", "17"], ["run", "a", "--vcpus", "99999999999999999999"],
    ["run", "a", "--duty", "0"],
    ["run", "a", "--reserve", "0"], ["run", "a", "--reserve", "4097"],
    ["run", "a", "--memory", "1M", "--reserve", "2M"], ["ledger", "a"], ["ledger", "--capacity", "much"],
    ["run", "a", "--duty", "101"], ["run", "a", "--nic", "tap0"], ["run", "a", "--nic", "tap="],
    ["run", "a", "--nic", "tap=0123456789abcdef"], ["run", "a", "--nic", "tap=a/b"],
    ["run", "a", "--nic", "tap=t", "--nic", "tap=t"],
    ["run", "a", "--nic", "tap=t,mac=01:00:00:00:00:01"],
    ["run", "a", "--nic", "tap=a,mac=02:00:00:00:00:01", "--nic", "tap=b,mac=02:00:00:00:00:01"],
    ["run", "a", "--cpu", "quantum"], ["run", "a", "--nonsense"],
    ["status"], ["status", "a\nb"], ["stop", "."], ["handoff", "a", "--max-downtime", "0ms"],
    ["handoff", "a", "--max-downtime", "999us"], ["check", "a", "--max-downtime", "1us"],
    ["ledger", "--capacity", "64"],
    ["console"], ["console", "a/b"], ["console", "a", "--escape", "F1"], ["console", "a", "--json"],
    ["handoff", "a", "--timeout", "30"], ["handoff", "a", "--to", ""], ["check", "a", "--to="],
    ["recover", ".."],
    ["run", "a", "--console", ""],
    ["abort"], ["abort", "a/b"],
    ["demo", "--handoffs", "0"], ["demo", "--memory", "1M"], ["bench", "--vcpus", "1,,2"],
    ["run", "a", "--numa", ""], ["run", "a", "--numa", "x"], ["run", "a", "--numa", "1-"],
    ["run", "a", "--numa", "3-1"],
    ["run", "a", "--numa", "1024"], ["run", "a", "--numa", "0,64"], ["run", "a", "--numa", "all"],
    ["bench", "--memory", "64M,"], ["bench", "--memory", "1K-sparse"],
    ["bench", "--memory", "1T-sparse:1M"], ["bench", "--memory", "1G-sparse:1G"],
    ["bench", "--memory", "1G:64M"], ["bench", "--memory", "1T-sparse:"],
    ["bench", "handoff", "--handoffs", "0"],
    ["bench", "cpu", "--vcpus", "17"], ["bench", "cpu", "--repeats", "0"], ["bench", "cpu", "--work", "0"],
    ["history"], ["history", "a", "--last", "0"], ["history", "a", "--last", "x"], ["log"],
    ["log", "a", "--last", "-1"], ["log", "a", "--json"], ["handoff", "a", "--trace", ""],
    ["bench", "nonsense"], ["floor-peer", "--threads", "0"],
  ])
  func wrongUsageIsOneLineAnd64(arguments: [String]) throws {
    let result = try BuiltCommand.run(arguments)
    #expect(result.code == 64 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.hasPrefix("fsr: ") && result.errors.contains("--help`"))
    #expect(!result.errors.contains(".;"), "\(result.errors)")
  }

  @Test(arguments: [
    ["run", "a", "--memory", "256"], ["run", "a", "--reserve", "256"], ["demo", "--memory", "256"],
    ["run", "a", "--resident", "256", "--swap", "s"], ["ledger", "--capacity", "256"],
    ["handoff", "a", "--swap", "mirrored", "--swap-file", "s", "--copy-rate", "256"],
  ])
  func aBareNumberIsSaidToBeBytes(arguments: [String]) throws {
    let result = try BuiltCommand.run(arguments)
    #expect(result.code == 64 && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.contains("is 256 bytes, not 256M"), "\(result)")
  }

  @Test(arguments: ["2m", "2M"]) func thePageSizeIsTakenInEitherCase(size: String) throws {
    let result = try BuiltCommand.run(["run", "a", "--page-size", size, "--memory", "3M"])
    #expect(result.code == 64 && result.errors.contains("multiple of 2M"), "\(result)")
  }

  @Test(arguments: [
    ["handoff", "a", "--fault", "nobody:never:kill"],
    ["run", "a", "--resident", "2M", "--swap", "s", "--swap-fault", "x"],
  ])
  func whatTheHelpLeavesOutIsDescribedElsewhere(arguments: [String]) throws {
    let result = try BuiltCommand.run(arguments)
    #expect(result.code == 64 && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.contains("docs/testing.md") && !result.errors.contains("--help"))
  }

  @Test(arguments: [(9, ""), (5, ",queues=8")]) func tooManyPortsAreWrongUsage(count: Int, rest: String)
    throws
  {
    let options = (0..<count).flatMap { ["--nic", "tap=t\($0)\(rest)"] }
    let result = try BuiltCommand.run(["run", "a"] + options)
    #expect(result.code == 64 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
  }

  @Test(arguments: [
    ("status", AnswerKeys.status), ("run", AnswerKeys.status), ("handoff", AnswerKeys.handoff),
    ("abort", AnswerKeys.recover), ("recover", AnswerKeys.recover), ("stop", AnswerKeys.stop),
    ("history", AnswerKeys.history), ("ledger", AnswerKeys.ledger),
  ])
  func wrongUsageHasAllKeysToo(command: String, keys: Set<String>) throws {
    let result = try BuiltCommand.run([command, "a/b", "--json"])
    #expect(result.code == 64 && result.errorLines.count == 1)
    #expect(try JSONValue(parsing: result.output).keys == keys)
  }

  @Test(arguments: [
    "run", "list", "status", "check", "handoff", "abort", "stop", "recover", "demo", "bench", "console",
    "history", "log", "ledger",
  ])
  func helpHasExamples(command: String) throws {
    let result = try BuiltCommand.run([command, "--help"])
    #expect(result.code == 0 && result.errors.isEmpty && result.output.contains("Example"))
    #expect(result.output.contains("fsr \(command)"))
  }

  @Test(arguments: ["handoff", "cpu"]) func theBenchesHaveHelpOfTheirOwn(bench: String) throws {
    let result = try BuiltCommand.run(["bench", bench, "--help"])
    #expect(result.code == 0 && result.output.contains("fsr bench \(bench)"))
    #expect(result.output.contains("--vcpus") && !result.output.contains("--work"))
  }

  @Test func theHelpNamesEveryCommandAndCode() throws {
    let result = try BuiltCommand.run(["--help"])
    for word in [
      "run", "list", "status", "console", "check", "handoff", "abort", "stop", "recover", "demo", "bench",
      "history", "log",
      "64 wrong usage",
    ] {
      #expect(result.output.contains(word))
    }
    #expect(result.code == 0 && !result.output.contains("floor-peer"))
  }
}
