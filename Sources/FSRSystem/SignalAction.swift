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

  /// Makes a write beyond RLIMIT_FSIZE fail with EFBIG instead of ending this process, be it to a file or to a memfd. For
  /// every process of this package, first of all: what it starts itself has the default again (`ChildProcess`).
  public static func ignoreFileLimit() throws(SystemError) {
    try check(cfsr_signal_ignore(SIGXFSZ), "sigaction", on: "SIGXFSZ")
  }

  /// Signals that end a process by default, and say nothing of its work.
  private static let sideMatters = [
    SIGPIPE, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR,
  ]

  /// Lets this process outlive its starter, its terminal, readers, timers, and the soft limit of its processor time, also
  /// as a real-time thread (RLIMIT_CPU, RLIMIT_RTTIME). Those that ask for its end (SIGTERM, SIGINT, SIGQUIT), and those
  /// of a broken program, do what they do.
  public static func ignoreSideMatters() throws(SystemError) {
    for number in sideMatters { try check(cfsr_signal_ignore(number), "sigaction", on: "signal \(number)") }
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
