/// How the command ends: the process's exit codes, which scripts rely on.
package enum FSRExit: Int32, CaseIterable, Sendable {
  /// Done. Of a handoff: the destination runs.
  case done = 0
  /// Anything that has no code of its own.
  case failed = 1
  /// Refused, the guest untouched.
  case refused = 3
  /// Called off or failed; the source runs.
  case calledOff = 4
  /// Nobody runs the guest; `fsr recover` is needed.
  case stunned = 5
  /// The VM is lost.
  case lost = 6
  case noSuchVM = 7
  /// Wrong usage, a bad name, an out-of-range size: EX_USAGE of sysexits(3).
  case usage = 64

  /// What it says, for the manual.
  var meaning: String {
    switch self {
    case .done:
      "Done. Of a handoff: the destination runs, or with --if-needed the VM runs that build already."
    case .failed: "Anything that has no code of its own."
    case .refused: "Refused, the guest untouched; the line says what stands in the way, and what to do."
    case .calledOff: "Called off or failed; the source runs. Of an abort: nothing could be aborted."
    case .stunned: "Nobody runs the guest, nothing is lost: `fsr recover`."
    case .lost: "The VM is lost."
    case .noSuchVM: "There is no such VM."
    case .usage: "Wrong usage, a bad name, a size out of range."
    }
  }
}
