import FSRGuestSupport
import FSRTestSupport

/// Streams of consecutive seeds, to be run in one program.
struct StreamBatch {
  let firstSeed: UInt64
  let count: Int

  /// The program's table, as `streams.c` reads it: two numbers, an entry for each stream, then their code.
  private func table(isVerbose: Bool) -> [UInt8] {
    var entries = Self.bytes(UInt64(count)) + Self.bytes(UInt64(isVerbose ? 1 : 0))
    var code: [UInt8] = []
    let codeOffset = entries.count + count * 24
    for index in 0..<count {
      let stream = StreamGenerator.stream(seed: firstSeed &+ UInt64(index))
      entries += Self.bytes(UInt64(codeOffset + code.count) | UInt64(stream.code.count) << 32)
      entries += Self.bytes(stream.seed) + Self.bytes(UInt64(stream.base))
      code += stream.code
    }
    return entries + code
  }

  /// Runs them on both boards; answers how ours differs, with the first stream that does in all its detail.
  func findings() throws -> [String] {
    let program = OracleProgram("streams.c")
    let (ours, oracle) = try outcomes(program, isVerbose: false)
    let findings = ours.findings(against: oracle)
    if findings.isEmpty { return [] }
    let lines = zip(ours.console.split(separator: "\n"), oracle.console.split(separator: "\n"))
    guard let index = Array(lines).firstIndex(where: { $0 != $1 }) else { return findings }
    let seed = firstSeed &+ UInt64(index)
    let stream = StreamGenerator.stream(seed: seed)
    let (mine, right) = try StreamBatch(firstSeed: seed, count: 1).outcomes(program, isVerbose: true)
    let code = stream.code.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return findings + ["the stream of seed \(seed), base x\(stream.base), code \(code)"]
      + mine.findings(against: right)
  }

  private func outcomes(_ program: OracleProgram, isVerbose: Bool) throws -> (Outcome, Outcome) {
    try program.outcomes(
      try program.build([GuestProgram.File("streams.bin", bytes: table(isVerbose: isVerbose))]))
  }

  private static func bytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}
