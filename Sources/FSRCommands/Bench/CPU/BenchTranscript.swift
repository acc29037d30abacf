internal import FSRMachine

/// What the bench guest said on its console, checked: whoever ran it, and whatever stands between its lines.
///
/// Lines of the guest begin with `fsr-bench 1`; others are somebody else's and count for nothing.
package struct BenchTranscript: Equatable, Sendable {
  /// Bytes of output at most; the guest prints an eighth of it at the most.
  package static let limit = 128 << 10
  private static let prefix = "fsr-bench 1 "

  /// One hart's run of one kernel.
  package struct Part: Equatable, Sendable {
    /// Units of 100 ns of the board's time.
    package let start: UInt64
    package let end: UInt64
    package let instructions: UInt64
  }

  package struct Kernel: Equatable, Sendable {
    package let name: String
    /// By hart.
    package let parts: [Part]

    /// Of all harts.
    package var instructions: UInt64 { parts.reduce(0) { $0 &+ $1.instructions } }

    /// From the first hart's start to the last one's end, in units of 100 ns; at least 1.
    package var ticks: UInt64 {
      let start = parts.map(\.start).min() ?? 0
      let end = parts.map(\.end).max() ?? 0
      return max(1, end - start)
    }
  }

  /// In the order of `BenchGuest.kernels`.
  package let kernels: [Kernel]

  /// Reads the output of a guest that was told `harts` and `work`.
  package init(_ output: [UInt8], harts: Int, work: Int) throws(BenchTranscriptError) {
    guard output.count <= BenchTranscript.limit else { throw .tooLong(output.count) }
    var reader = LineReader(harts: harts, work: work)
    for line in output.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
      // What is no text is no line of the guest's.
      guard let text = String(validating: line, as: UTF8.self), text.hasPrefix(Self.prefix) else { continue }
      try reader.take(
        text, text.dropFirst(Self.prefix.count).split(separator: " ", omittingEmptySubsequences: false))
    }
    guard reader.isEnded else { throw .cutShort(lastLine: Self.lastLine(of: output)) }
    kernels = try reader.kernels()
  }

  /// For people: what was said last, in characters that a terminal shows.
  private static func lastLine(of output: [UInt8]) -> String {
    let line = output.split { $0 == 0x0a || $0 == 0x0d || $0 == 0 }.last ?? []
    return String(decoding: line.prefix(160).map { (0x20..<0x7f).contains($0) ? $0 : 0x3f }, as: UTF8.self)
  }
}

/// Takes the guest's lines one by one.
private struct LineReader {
  private let harts: Int
  private let work: Int
  private var hasBegun = false
  private(set) var isEnded = false
  private var parts: [String: [BenchTranscript.Part?]] = [:]

  init(harts: Int, work: Int) {
    self.harts = harts
    self.work = work
  }

  mutating func take(_ line: String, _ words: [Substring]) throws(BenchTranscriptError) {
    let names = stride(from: 0, to: words.count, by: 2).map { words[$0] }
    guard !isEnded else { throw .badLine(line) }
    switch names {
    case ["harts", "work"]:
      guard !hasBegun, words.count == 4, number(words[1]) == UInt64(harts), number(words[3]) == UInt64(work)
      else {
        throw .badLine(line)
      }
      hasBegun = true
    case ["kernel", "hart", "start", "end", "instructions", "right"]:
      guard hasBegun, words.count == 12 else { throw .badLine(line) }
      try takePart(line, words)
    case ["end"]:
      guard hasBegun, words.count == 1 else { throw .badLine(line) }
      isEnded = true
    default: throw .badLine(line)
    }
  }

  private mutating func takePart(_ line: String, _ words: [Substring]) throws(BenchTranscriptError) {
    let name = String(words[1])
    guard BenchGuest.kernels.contains(name), let hart = number(words[3]), hart < UInt64(harts),
      let start = number(words[5]), let end = number(words[7]), let instructions = number(words[9]),
      let right = number(words[11]), end >= start, end <= UInt64(Int64.max),
      // As many as no sum of them overflows.
      instructions > 0, instructions <= 1 << 56, right <= 1
    else { throw .badLine(line) }
    guard right == 1 else { throw .wrongResult(kernel: name, hart: Int(hart)) }
    var list = parts[name] ?? Array(repeating: nil, count: harts)
    guard list[Int(hart)] == nil else { throw .badLine(line) }
    list[Int(hart)] = BenchTranscript.Part(start: start, end: end, instructions: instructions)
    parts[name] = list
  }

  func kernels() throws(BenchTranscriptError) -> [BenchTranscript.Kernel] {
    var kernels: [BenchTranscript.Kernel] = []
    for name in BenchGuest.kernels {
      let list = (parts[name] ?? []).compactMap { $0 }
      guard list.count == harts else { throw .missing(kernel: name) }
      kernels.append(BenchTranscript.Kernel(name: name, parts: list))
    }
    return kernels
  }

  /// Digits and nothing else.
  private func number(_ word: Substring) -> UInt64? {
    word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(word) : nil
  }
}

/// Why a bench guest's output tells nothing.
package enum BenchTranscriptError: Error, Equatable, CustomStringConvertible {
  case tooLong(Int)
  /// The guest did not come to its end.
  case cutShort(lastLine: String)
  case badLine(String)
  case wrongResult(kernel: String, hart: Int)
  case missing(kernel: String)

  package var description: String {
    switch self {
    case .tooLong(let count): "it printed \(count) bytes"
    case .cutShort(let line): line.isEmpty ? "it printed nothing" : "it did not come to its end: \(line)"
    case .badLine(let line): "it printed a line that cannot be: \(line.prefix(160))"
    case .wrongResult(let kernel, let hart): "hart \(hart) computed a wrong result in \(kernel)"
    case .missing(let kernel): "it printed no times of \(kernel)"
    }
  }
}
