import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// `fsr handoff --to` what is no VMM: one clear line, and a guest that runs on untouched.
@Suite(.serialized) struct ForeignDestinationTests {
  /// What the destination is, how the handoff ends, and what its one line says.
  struct Case: CustomTestStringConvertible, Sendable {
    let what: String
    var path = ""
    var content: [UInt8] = []
    var isExecutable = true
    let code: Int32
    let says: String

    var testDescription: String { what }

    static func script(_ what: String, _ lines: String, says: String) -> Case {
      Case(what: what, content: Array("#!/bin/sh\n\(lines)\n".utf8), code: 4, says: says)
    }
  }

  static let cases: [Case] = [
    Case(what: "a program that ends well", path: "/bin/true", code: 4, says: "the destination ended before"),
    Case(what: "a program that fails", path: "/bin/false", code: 4, says: "the destination ended before"),
    Case(what: "a directory", path: "/", code: 3, says: "is a directory"),
    Case(what: "a device", path: "/dev/null", code: 3, says: "is no regular file"),
    Case(what: "nothing", path: "/nonexistent/fsr", code: 3, says: "No such file or directory"),
    Case(
      what: "a text that is not executable", content: Array("hello\n".utf8), isExecutable: false, code: 3,
      says: "is not executable"),
    Case(
      what: "a text that is executable", content: Array("hello\n".utf8), code: 4, says: "Exec format error"),
    Case(what: "another machine's program", content: foreignELF, code: 3, says: "another kind of machine"),
    .script("a script that sleeps", "exec sleep 1000", says: "longer than"),
    .script("a script whose child sleeps", "sleep 1000\nexit 1", says: "longer than"),
    .script(
      "a script that leaves a child", "sleep 1000 &\nexit 0", says: "the destination ended before"),
    // It may be gone before it is spoken to, and that is said then.
    .script(
      "a script that writes rubbish", #"printf 'rubbish rubbish' >&"$FSR_HANDOFF_FD""#,
      says: "the destination"),
    .script(
      "a script that writes and sleeps", "printf 'rubbish' >&\"$FSR_HANDOFF_FD\"\nsleep 1000",
      says: "does not speak the protocol"),
    .script(
      "a script that writes nothing and sleeps", "exec 3>&-\nsleep 1000", says: "the destination ended before"
    ),
  ]

  /// The header of a 64-bit ELF file for a machine that has no number.
  private static var foreignELF: [UInt8] {
    var header = [UInt8](repeating: 0, count: 64)
    header.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
    header.replaceSubrange(16..<20, with: [2, 0, 0xfe, 0xca])
    return header
  }

  private static let next = Atomic<Int>(0)

  private static func makeExecutable(_ path: String) throws {
    let child = try ChildProcess.spawn(
      executable: "/bin/chmod", arguments: ["chmod", "755", path], environment: [])
    _ = try child.ended()
  }

  @Test(arguments: cases) func theGuestRunsOnUntouched(_ one: Case) async {
    let findings = await Blocking.run { () -> [String] in
      do { return try Self.findings(one) } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(one.what): \(finding)") }
  }

  private static func findings(_ one: Case) throws -> [String] {
    let place = try TemporaryDirectory(under: "/tmp")
    let token = "1000.\(ProcessIdentity.current().pid)\(next.add(1, ordering: .relaxed).newValue)"
    var path = one.path
    if path.isEmpty {
      let text = String(decoding: one.content, as: UTF8.self)
      let isScript = text.hasPrefix("#!")
      let content = isScript ? Array(text.replacing("sleep 1000", with: "sleep \(token)").utf8) : one.content
      try place.directory.openFile("vmm", .createNew).write(content)
      path = place.path + "/vmm"
      if one.isExecutable { try makeExecutable(path) }
    }
    let vm = try TestVM()
    try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
    let before = try vm.status()
    // Short only where it is waited for.
    let timeout = one.says == "longer than" ? "5s" : "30s"
    let result = try vm.fsr(["handoff", vm.name, "--to", path, "--timeout", timeout, "--json"])
    let answer = try JSONValue(parsing: result.output)
    var findings: [String] = []
    if result.code != one.code || result.errorLines.count != 1 { findings.append("\(result)") }
    if !result.errors.contains(one.says) { findings.append("it says \(result.errors)") }
    if answer["reason"]?.text == nil { findings.append("no reason: \(answer)") }
    let after = try vm.status()
    for key in ["pid", "generation"] where before[key] != after[key] {
      findings.append("\(key) \(before[key] as Any) became \(after[key] as Any)")
    }
    let advances = try vm.advances()
    if !advances { findings.append("the guest stands still") }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts \(errors as Any) errors") }
    let blocks = try vm.blockNames()
    if blocks.count != 1 { findings.append("blocks \(blocks)") }
    if try !vm.isUnlocked() { findings.append("the lock is held") }
    // Its children go by the number that they sleep for.
    let left = try ProcessTable.processes(mentioning: path) + ProcessTable.processes(mentioning: token)
    if one.path.isEmpty, !left.isEmpty { findings.append("processes \(left) are left") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }
}
