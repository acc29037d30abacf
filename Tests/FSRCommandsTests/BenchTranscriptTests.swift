import FSRCommands
import FSRMachine
import FSRTestSupport
import Testing

@Suite struct BenchTranscriptTests {
  /// What a guest prints: hart h begins kernel k at 100 k + h and takes 50 + h.
  private static func lines(harts: Int = 2, work: Int = 9) -> [String] {
    var lines = ["fsr-bench 1 harts \(harts) work \(work)"]
    for (index, name) in BenchGuest.kernels.enumerated() {
      for hart in 0..<harts {
        let start = 100 * index + hart
        lines.append(
          "fsr-bench 1 kernel \(name) hart \(hart) start \(start) end \(start + 50 + hart) instructions 1000 right 1"
        )
      }
    }
    return lines + ["fsr-bench 1 end"]
  }

  private static func read(_ lines: [String], harts: Int = 2, work: Int = 9) throws -> BenchTranscript {
    try BenchTranscript(Array((lines.joined(separator: "\n") + "\n").utf8), harts: harts, work: work)
  }

  @Test func aWholeTranscriptIsRead() throws {
    let transcript = try Self.read(Self.lines())
    #expect(transcript.kernels.map(\.name) == BenchGuest.kernels)
    #expect(transcript.kernels.allSatisfy { $0.instructions == 2000 && $0.ticks == 52 })
  }

  @Test func whatOthersPrintCountsForNothing() throws {
    var lines = Self.lines()
    lines.insert("qemu-system-riscv64: warning: something", at: 0)
    lines.insert("", at: 3)
    let bytes = Array(lines.joined(separator: "\r\n").utf8) + [0x0a, 0xff, 0xfe, 0x00]
    let transcript = try BenchTranscript(bytes, harts: 2, work: 9)
    #expect(transcript == (try Self.read(Self.lines())))
  }

  @Test func everyCutIsRefused() throws {
    let lines = Self.lines()
    for count in 0..<lines.count {
      #expect(throws: BenchTranscriptError.self) { try Self.read(Array(lines.prefix(count))) }
    }
    for index in lines.indices {
      var short = lines
      short.remove(at: index)
      #expect(throws: BenchTranscriptError.self) { try Self.read(short) }
    }
  }

  @Test(arguments: [
    "kernel sieve hart 0 start 0 end 50 instructions 1000 right 1",
    "kernel none hart 0 start 0 end 1 instructions 1 right 1",
    "kernel sieve hart 2 start 0 end 1 instructions 1 right 1",
    "kernel sieve hart -1 start 0 end 1 instructions 1 right 1",
    "kernel sieve hart 1 start 9 end 8 instructions 1 right 1",
    "kernel sieve hart 1 start 0 end 1 instructions 0 right 1",
    "kernel sieve hart 1 start 0 end 18446744073709551616 instructions 1 right 1",
    "kernel sieve hart 1 start 0 end 18446744073709551615 instructions 1 right 1",
    "kernel sieve hart 1 start 0 end 1 instructions 18446744073709551615 right 1",
    "kernel sieve hart 1 start +0 end 1 instructions 1 right 1",
    "kernel sieve hart 1 start 0 end 1 instructions 1 right 2",
    "kernel sieve hart 1 start 0 end 1 instructions 1",
    "kernel sieve hart 1 start  0 end 1 instructions 1 right 1",
    "harts 2 work 9", "harts 3 work 9", "end ", "end 1", "", "nonsense", "kernel",
  ]) func aLineThatCannotBeIsRefused(line: String) throws {
    var lines = Self.lines()
    // In the place of hart 1's first line, so that no other is missing.
    lines[2] = "fsr-bench 1 " + line
    #expect(throws: BenchTranscriptError.self) { try Self.read(lines) }
  }

  @Test func aWrongResultIsNoMeasurement() throws {
    var lines = Self.lines()
    lines[2] = lines[2].replacing("right 1", with: "right 0")
    #expect(throws: BenchTranscriptError.wrongResult(kernel: BenchGuest.kernels[0], hart: 1)) {
      try Self.read(lines)
    }
  }

  @Test func anotherGuestsTranscriptIsRefused() throws {
    #expect(throws: BenchTranscriptError.self) { try Self.read(Self.lines(), harts: 1) }
    #expect(throws: BenchTranscriptError.self) { try Self.read(Self.lines(), work: 8) }
  }

  @Test func bytesAtRandomNeverTrap() throws {
    var random = SeededGenerator(seed: 11)
    let good = Array((Self.lines().joined(separator: "\n") + "\n").utf8)
    for _ in 0..<2000 {
      let bytes = random.mutate(good)
      guard let transcript = try? BenchTranscript(bytes, harts: 2, work: 9) else { continue }
      #expect(transcript.kernels.count == BenchGuest.kernels.count)
    }
    let long = [UInt8](repeating: 0x20, count: BenchTranscript.limit + 1)
    #expect(throws: BenchTranscriptError.tooLong(long.count)) { try BenchTranscript(long, harts: 2, work: 9) }
  }
}
