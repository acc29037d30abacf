/// Wakes the host threads of harts that wait.
public protocol WakesHarts: Sendable {
  /// Makes a `CPUExit.waiting` of `hart` end early: an interrupt became pending for it, its timer moved, or a
  /// stop was requested. Any thread calls it, also when the hart does not wait or is only about to: the
  /// caller's thread must not lose a wake that comes between `run`'s return and its own sleep. A wake for
  /// nothing is harmless.
  func wake(hart: Int)
}
