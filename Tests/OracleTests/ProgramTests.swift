import FSRGuestSupport
import FSRTestSupport
import Testing

/// Programs that look at one thing each, on QEMU's board and on ours.
@Suite(
  .serialized,
  .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"),
  .enabled(if: Emulator.isThere, "qemu-system-riscv64, from Debian's package qemu-system-misc"))
struct ProgramTests {
  static let programs = [
    OracleProgram("arithmetic.c"), OracleProgram("atomics.c", harts: 4), OracleProgram("compressed.c"),
    OracleProgram("devices.c"), OracleProgram("external.c", harts: 2, isPlain: true),
    OracleProgram("gateway.c", isPlain: true),
    OracleProgram("harts.c", harts: 4),
    OracleProgram("interrupts.c"),
    OracleProgram("memory.c"),
    OracleProgram("patching.c", harts: 2), OracleProgram("pointers.c"), OracleProgram("port.c"),
    OracleProgram("registers.c"),
    OracleProgram("serial.c"), OracleProgram("startup.S"), OracleProgram("traps.c"),
    OracleProgram("words.c"),
  ]

  @Test(arguments: programs) func aProgramDoesHereWhatItDoesInQEMU(program: OracleProgram) async {
    let findings = await Blocking.run { () -> [String] in
      do { return try program.findings(program.build()) } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(program.source): \(finding)") }
  }
}
