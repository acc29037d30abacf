import FSRSystem
import FSRTestSupport
import Testing

/// Destinations that are of another build, or that lie: they can end their handoff, and nothing else.
@Suite(.serialized) struct OtherVMMTests {
  /// What it does, and the code of the blocker.
  private static let kinds: [(name: String, code: String)] = [
    ("older-section", "version"), ("lacks-a-section", "version"), ("newer-section", "preparation"),
    ("other-protocol", "destination"), ("other-message", "destination"), ("agrees-twice", "preparation"),
    ("refuses-at-length", "version"), ("sends-descriptors", "destination"), ("unknown-kind", "destination"),
    ("field-twice", "destination"), ("length-that-lies", "destination"), ("one-byte", "destination"),
    ("large", "destination"), ("waits", "deadline"),
  ]

  @Test func whateverADestinationSaysTheGuestRunsOn() async {
    await Blocking.check { try Self.findings() }
  }

  private static func findings() throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    try vm.run(["--memory", "32M", "--vcpus", "2"])
    let first = try vm.answer("status").value["pid"]
    var findings: [String] = []
    for (name, expected) in kinds {
      // Its name tells it what to do, and a link has the name of what it leads to.
      let copying = try ChildProcess.spawn(
        executable: "/bin/cp", arguments: ["cp", BuiltCommand.path(of: "OtherVMM"), "\(place.path)/\(name)"],
        environment: [])
      _ = try copying.ended()
      let options = ["--to", "\(place.path)/\(name)"] + (name == "waits" ? ["--timeout", "3s"] : [])
      for (command, ending) in [("check", 3 as Int32), ("handoff", 4)] {
        let (code, answer) = try vm.answer(command, options)
        let codes = answer["blockers"]?.elements.map { $0["code"]?.text ?? "-" }
        if code != ending || codes != [expected] {
          findings.append("\(name): \(command) ended with \(code ?? -1): \(answer)")
        }
      }
      let status = try vm.status()
      if status["pid"] != first { findings.append("\(name): \(status)") }
      try place.directory.unlink(name)
    }
    if try !vm.advances() { findings.append("the guest stands still") }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts errors: \(String(describing: errors))") }
    let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
    if code != 0 { findings.append("the next handoff: \(answer)") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }
}
