import FSRSystem

/// Numbered lines that a guest has written to its console.
enum ConsoleLines {
  /// What is wrong with the lines of `name` that begin with `first` and a number: a gap, or one that comes
  /// twice, or fewer than `count`; and every word that reports an error.
  static func findings(
    in name: String, of directory: borrowing Directory, first: String, atLeast count: Int
  ) throws -> [String] {
    let bytes = try directory.openFile(name, .read).readAll(limit: 1 << 26)
    var lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    // The last is still being written.
    if !lines.isEmpty { lines.removeLast() }
    let numbers = lines.compactMap { line -> Int? in
      line.hasPrefix(first) ? Int(line.dropFirst(first.count).prefix { $0.isNumber }) : nil
    }
    var findings: [String] = []
    if numbers.count < count { findings.append("\(numbers.count) lines on the console, \(count) are due") }
    if let start = numbers.first, numbers != Array(start..<start + numbers.count) {
      let breaks = zip(numbers, numbers.dropFirst()).filter { $1 != $0 + 1 }
      findings.append("lines that do not follow each other: \(breaks.prefix(5))")
    }
    // Every line but the guest's greeting is numbered: a torn one would not be.
    let others = lines.filter { !$0.hasPrefix(first) }
    if others.count > 1 { findings.append("torn lines: \(others.prefix(5))") }
    for line in lines where line.contains("errors") && !line.hasSuffix("errors 0") {
      findings.append("the guest says: \(line)")
    }
    return findings
  }
}
