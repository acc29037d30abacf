/// Where the process that serves a VM says what happens: the VMM's own log, whatever that is.
public struct ServiceLog: Sendable {
  /// As syslog(3) has them.
  public enum Level: Sendable {
    case notice, warning, error
  }

  private let write: @Sendable (Level, String) -> Void

  /// - Parameter write: takes one line, from any thread.
  public init(_ write: @escaping @Sendable (Level, String) -> Void) { self.write = write }

  public func notice(_ line: String) { write(.notice, line) }

  public func warning(_ line: String) { write(.warning, line) }

  public func error(_ line: String) { write(.error, line) }
}
