import FSRGuestSupport
import FSRMachine
internal import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// The same through the built `fsr run`, whose threads, console and exit code are those that users get.
@Suite(
  .serialized,
  .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"),
  .enabled(if: Emulator.isThere, "qemu-system-riscv64, from Debian's package qemu-system-misc"))
struct CommandTests {
  static let programs = [
    OracleProgram("harts.c", harts: 4), OracleProgram("interrupts.c"), OracleProgram("startup.S"),
    OracleProgram("traps.c"),
  ]

  @Test(arguments: programs) func aForegroundRunDoesWhatQEMUDoes(program: OracleProgram) async {
    let findings = await Blocking.run { () -> [String] in
      do { return try Self.findings(program) } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(program.source): \(finding)") }
  }

  private static func findings(_ program: OracleProgram) throws -> [String] {
    let place = try TemporaryDirectory()
    let guest = place.path + "/guest"
    let runtime = try TemporaryDirectory(under: "/tmp")
    try place.directory.openFile("guest", .createNew).write(program.build())
    let result = try BuiltCommand.run([
      "run", "oracle", "--foreground", "--guest", guest, "--vcpus", "\(program.harts)", "--memory",
      "\(Emulator.megabytes)M", "--console", place.path + "/console", "--runtime-dir", runtime.path,
    ])
    let console = try place.directory.openFile("console", .read).readAll(limit: 1 << 26)
    let ours = Outcome(
      console: String(decoding: console, as: UTF8.self), end: result.code == 0 ? .passed : nil,
      remark: result.errors)
    return ours.findings(against: try Emulator.run(guest, harts: program.harts))
      + (result.code == 0 ? [] : ["fsr run: \(result)"])
  }
}
