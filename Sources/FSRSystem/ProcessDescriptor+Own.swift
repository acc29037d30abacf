internal import Glibc

extension ProcessDescriptor {
  /// This process's number.
  public static var ownNumber: Int32 { getpid() }

  /// Sends the signal `number` to this very process; with SIGSTOP it returns once the process goes on.
  ///
  /// Sent to the calling thread, so that it takes effect before the next instruction of this one.
  public static func signalSelf(_ number: Int32) { pthread_kill(pthread_self(), number) }
}

/// The signals that processes of this package send each other.
public enum SignalNumber {
  public static let kill: Int32 = SIGKILL
  public static let stop: Int32 = SIGSTOP
  public static let go: Int32 = SIGCONT
  public static let terminate: Int32 = SIGTERM
  public static let interrupt: Int32 = SIGINT
  /// The terminal is gone.
  public static let hangup: Int32 = SIGHUP
  /// A wish to stop, which a process may see to.
  public static let terminalStop: Int32 = SIGTSTP

  /// As people know it: `SIGINT`.
  public static func name(of number: Int32) -> String {
    switch number {
    case interrupt: "SIGINT"
    case terminate: "SIGTERM"
    case hangup: "SIGHUP"
    default: "signal \(number)"
    }
  }
}
