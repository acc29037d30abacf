import FSRGuestSupport
import FSRTestSupport
import Foundation
import Testing

/// Random instructions, on QEMU's hart and on ours. FSR_ORACLE_SEED gives the first seed, FSR_ORACLE_STREAMS how
/// many streams each batch has.
@Suite(
  .serialized,
  .enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"),
  .enabled(if: Emulator.isThere, "qemu-system-riscv64, from Debian's package qemu-system-misc"))
struct StreamTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seed = environment["FSR_ORACLE_SEED"].flatMap(UInt64.init) ?? 1
  private static let count = environment["FSR_ORACLE_STREAMS"].flatMap(Int.init) ?? 1500

  @Test(arguments: 0..<4) func randomStreamsDoWhatTheyDoInQEMU(batch: Int) async {
    let first = Self.seed &+ UInt64(batch * Self.count)
    let findings = await Blocking.run { () -> [String] in
      do { return try StreamBatch(firstSeed: first, count: Self.count).findings() } catch {
        return ["\(error)"]
      }
    }
    for finding in findings {
      Issue.record("\(Self.count) streams from FSR_ORACLE_SEED=\(first): \(finding)")
    }
  }
}
