import FSRMachine
internal import FSRState

/// What a board made of a program.
struct Outcome: Sendable {
  let console: String
  /// Nil where it did not end by itself.
  let end: GuestEnd?
  /// What the emulator said of itself.
  var remark: String?

  /// Why this one, of ours, is not as `oracle`'s; empty where it is.
  func findings(against oracle: Outcome) -> [String] {
    var findings: [String] = []
    if oracle.end != .passed { findings.append("QEMU ended with \(oracle.endText): \(oracle.remark ?? "")") }
    if end != oracle.end { findings.append("ended with \(endText), with QEMU \(oracle.endText)") }
    let ours = console.split(separator: "\n", omittingEmptySubsequences: false)
    let theirs = oracle.console.split(separator: "\n", omittingEmptySubsequences: false)
    if ours.count != theirs.count { findings.append("\(ours.count) lines, with QEMU \(theirs.count)") }
    let differences = zip(ours, theirs).enumerated().filter { $0.element.0 != $0.element.1 }
    if !differences.isEmpty { findings.append("\(differences.count) lines differ, at first:") }
    for (index, (mine, right)) in differences.prefix(8) {
      findings.append("line \(index + 1): \(mine)\n  with QEMU: \(right)")
    }
    return findings
  }

  private var endText: String { end.map { "\($0)" } ?? "nothing" }
}
