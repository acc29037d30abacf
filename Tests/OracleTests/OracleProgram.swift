import FSRGuestSupport
import FSRMachine
import FSRSystem
import FSRTestSupport
import Foundation
import Testing

/// A program for both boards: its own source in `Programs`, and the runtime that all have.
struct OracleProgram: CustomTestStringConvertible, Sendable {
  let source: String
  let harts: Int
  /// Whether QEMU's hart is to have its other modes: the PLIC has a context for each.
  let isPlain: Bool

  init(_ source: String, harts: Int = 1, isPlain: Bool = false) {
    self.source = source
    self.harts = harts
    self.isPlain = isPlain
  }

  var testDescription: String { source }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Programs")
  private static let runtime = [
    "start.S", "probe.S", "runtime.c", "probe.c", "runtime.h", "probe.h", "runtime.ld",
  ]

  /// Builds it, with `files` of the test's own beside its source.
  func build(_ files: [GuestProgram.File] = []) throws -> [UInt8] {
    let sources = try (Self.runtime.map { "Runtime/" + $0 } + [source]).map { path in
      let file = Self.folder.appendingPathComponent(path)
      return GuestProgram.File(
        file.lastPathComponent, bytes: [UInt8](try Data(contentsOf: file)))
    }
    let compiled = (sources + files).map(\.name).filter { $0.hasSuffix(".c") || $0.hasSuffix(".S") }
    return try GuestProgram.build(
      sources + files, ["-Wall", "-Werror", "-Wl,-T,runtime.ld"] + compiled)
  }

  /// Runs an ELF file's bytes on both boards; answers how ours differs.
  func findings(_ elf: [UInt8]) throws -> [String] {
    let (ours, oracle) = try outcomes(elf)
    return ours.findings(against: oracle)
  }

  /// What our board made of it, and QEMU's.
  func outcomes(_ elf: [UInt8]) throws -> (ours: Outcome, oracle: Outcome) {
    let place = try TemporaryDirectory()
    try place.directory.openFile("guest", .createNew).write(elf)
    return (try runHere(elf), try Emulator.run(place.path + "/guest", harts: harts, isPlain: isPlain))
  }

  /// Runs it on our board, in this process.
  private func runHere(_ elf: [UInt8]) throws -> Outcome {
    let rig = try GuestRig(elf, harts: harts, megabytes: Emulator.megabytes, clock: HostClock())
    let deadline = MonotonicClock.now() + Emulator.timeout
    let end = rig.runThreads { MonotonicClock.now() > deadline }
    return Outcome(console: rig.console.text, end: end)
  }
}
