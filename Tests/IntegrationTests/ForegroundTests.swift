import FSRSystem
import FSRTestSupport
import Testing

/// A `fsr run --foreground`, which stays while its VM goes from process to process.
@Suite(.serialized) struct ForegroundTests {
  @Test func aForegroundRunOutlastsHandoffs() async {
    let findings = await Blocking.run { () -> [String] in
      do { return try Self.findings() } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(finding)") }
  }

  private static func findings() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let runner = try vm.startForeground(["--memory", "32M"], output: output)
    var findings: [String] = []
    let isUp = try TestVM.wait { try vm.answer("status").value["state"]?.text == "running" }
    if !isUp { findings.append("it never runs") }
    for index in 1...8 {
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("handoff \(index): \(answer)") }
      let hasEnded = try runner.process.hasExited()
      if hasEnded { findings.append("the run has ended at handoff \(index)") }
    }
    // Stopped, it says so, and that is no success of the guest's.
    findings += try vm.stopped().map { "left behind: \($0)" }
    _ = try runner.process.waitForExit(timeout: TestVM.patience)
    let status = try runner.process.reap()
    if status != .exited(1) { findings.append("the run ended with \(String(describing: status))") }
    return findings
  }
}
