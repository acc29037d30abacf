internal import CFSRLinux
internal import Glibc

/// What this process does with signals that it does not read.
public enum SignalAction {
  /// Makes a write to a pipe or socket without reader fail with EPIPE instead of ending this process.
  public static func ignoreBrokenPipes() throws(SystemError) {
    try check(cfsr_signal_ignore(SIGPIPE), "sigaction", on: "SIGPIPE")
  }

  /// Lets this process outlive the terminal and the session that it was started in.
  public static func ignoreHangups() throws(SystemError) {
    try check(cfsr_signal_ignore(SIGHUP), "sigaction", on: "SIGHUP")
  }

  /// Whether the signal `number` is ignored, as a program is told to by whoever starts it: nohup(1) with SIGHUP.
  public static func isIgnored(_ number: Int32) -> Bool { cfsr_signal_is_ignored(number) == 1 }

  /// Holds `signals` back from this thread, and from those it starts later, until they are read or let through.
  public static func hold(_ signals: [Int32]) throws(SystemError) { try mask(signals, blocked: true) }

  /// Lets `signals` through to this thread again: one that was held back takes effect at once.
  public static func letThrough(_ signals: [Int32]) throws(SystemError) { try mask(signals, blocked: false) }

  private static func mask(_ signals: [Int32], blocked: Bool) throws(SystemError) {
    // SAFETY: the array lives for the call, which reads as many elements as are told.
    let answer = unsafe cfsr_signal_mask(signals, signals.count, blocked ? 1 : 0)
    try check(answer, "pthread_sigmask", on: "\(signals)")
  }
}
