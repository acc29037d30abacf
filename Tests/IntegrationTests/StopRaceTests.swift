import FSRSystem
import FSRTestSupport
import Testing

/// Commands beside a stop of their VM: it is stopped for all of them, and nobody calls it lost.
@Suite(.serialized) struct StopRaceTests {
  /// Codes that a command may end with, beside 0: it was called off, or there is no such VM any more.
  private static let codes: [String: Set<Int32>] = [
    "handoff": [4, 7], "check": [4, 7], "abort": [4, 7], "recover": [7], "status": [7], "history": [7],
    "list": [], "pause": [7],
  ]

  private static func findings(_ command: String, rounds: Int, seed: UInt64) throws -> [String] {
    var random = SeededGenerator(seed: seed)
    var findings: [String] = []
    for round in 1...rounds {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "10"])
      // From before the command has looked at anything until after it has done all.
      let delay = Int.random(in: 0...60, using: &random)
      let name = command == "list" ? "" : vm.name
      let result = try BuiltCommand.shell(
        """
        "$FSR" \(command) \(name) --json --runtime-dir \(vm.runtime) > \(vm.runtime)/.said 2>&1 &
        sleep 0.0\(delay < 10 ? "0" : "")\(delay)
        "$FSR" stop \(vm.name) --runtime-dir \(vm.runtime) || echo "stop: $?"
        wait $!; code=$?; cat \(vm.runtime)/.said; rm \(vm.runtime)/.said; exit $code
        """)
      let code = result.code ?? -1
      let isDue = code == 0 || codes[command]?.contains(code) == true
      if !isDue || result.output.contains("stop: ") || result.output.contains("No such file")
        || result.output.contains("lost")
      {
        findings.append("\(command), round \(round), after \(delay) ms: \(result)")
      }
      findings += try vm.remains()
    }
    return findings
  }

  @Test func aHandoffBesideAStopIsCalledOffOrHasNoVM() async {
    await Blocking.check { try Self.findings("handoff", rounds: 20, seed: 14) }
  }

  @Test(arguments: ["check", "abort", "recover", "status", "history", "list", "pause"])
  func everyOtherCommandBesideAStopSaysThatItWasStopped(_ command: String) async {
    await Blocking.check { try Self.findings(command, rounds: 4, seed: 15) }
  }
}
