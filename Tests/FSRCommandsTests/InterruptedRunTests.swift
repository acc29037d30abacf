import FSRSystem
import FSRTestSupport
import Testing

/// A `fsr run` that is sent a signal while it starts the VM.
@Suite(.serialized) struct InterruptedRunTests {
  /// What is true of it, whenever the signal comes: it says that nothing was started and leaves nothing, or it ends by the
  /// signal before it has begun.
  @Test(arguments: [SignalNumber.interrupt, SignalNumber.terminate])
  func whatIsInterruptedLeavesNothingAndSaysSo(number: Int32) throws {
    let place = try TemporaryDirectory()
    var ends: Set<String> = []
    for delay in stride(from: UInt64(0), to: 60, by: 3) {
      let errors = try place.directory.openFile("errors-\(delay)", .append)
      let child = try ChildProcess.spawn(
        executable: BuiltCommand.path(),
        arguments: [
          "fsr", "run", "vm", "--memory", "16M", "--duty", "1", "--runtime-dir", place.path + "/vms",
        ],
        environment: ["PATH=/usr/bin:/bin"],
        inheriting: [.init(errors.number, as: 1), .init(errors.number, as: 2)])
      _ = try child.process.waitForExit(timeout: delay * 1_000_000)
      _ = try? child.process.signal(number)
      let status = try child.ended()
      let said = String(
        decoding: try place.directory.openFile("errors-\(delay)", .read).readAll(limit: 1 << 16),
        as: UTF8.self)
      try place.directory.unlink("errors-\(delay)")
      let list = try BuiltCommand.run(["list", "--json", "--runtime-dir", place.path + "/vms"]).output
      switch status {
      case .exited(0):
        // It was too late.
        #expect(said.contains("running as process") && list.contains("\"running\""), "\(said) \(list)")
        _ = try BuiltCommand.run(["stop", "vm", "--runtime-dir", place.path + "/vms"])
        ends.insert("started")
      case .exited(1):
        #expect(said.contains("interrupted by \(SignalNumber.name(of: number))"), "\(said)")
        #expect(list == "{\"vms\":[]}\n", "\(said) \(list)")
        ends.insert("said")
      case .signaled(number):
        #expect(list == "{\"vms\":[]}\n" && said.isEmpty, "\(said) \(list)")
        ends.insert("unborn")
      default: Issue.record("after \(delay) ms: \(String(describing: status)) \(said)")
      }
    }
    _ = try BuiltCommand.shell("rm -rf '\(place.path)/vms'")
    #expect(!ends.isEmpty)
  }
}
