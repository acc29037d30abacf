public import FSRSystem

/// The processes of a party, which live, are fenced and are released together: a VMM, and what works for it.
///
/// Most parties are one process.
public protocol PeerProcess: AnyObject, Sendable {
  /// Its members; the first is the one that takes part in the handoff. Empty where a process that was started is gone
  /// already.
  var identities: [ProcessIdentity] { get }
  /// Whether all of them have exited.
  var hasExited: Bool { get }
  /// Whether the first of them sent what the kernel says `pid` has sent.
  func hasSent(_ pid: Int32?) -> Bool
  /// Kills each that lives.
  func kill()
  /// Whether each that lives works for the user to whom `file` belongs, and for nobody else.
  func mayBeEnded(forOwnerOf file: borrowing OwnedDescriptor) -> Bool
  /// Kills what a process that was started has started and not sent away, and takes its exit status.
  func reap()
  /// A copy of the descriptor that the first of them calls `number`.
  func copyDescriptor(_ number: Int32) throws(SystemError) -> OwnedDescriptor
  /// Adds what becomes readable when one exits.
  func watch(_ poller: inout Poller, token: Int)
}
