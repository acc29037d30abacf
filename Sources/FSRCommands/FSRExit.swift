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
}
