internal import CFSRLinux
internal import Glibc

/// Signals as something to read (signalfd(2)), in place of handlers.
///
/// The signals are blocked for the thread that makes it and for those it starts later, so it is made before
/// any other thread; they stay blocked when it goes.
public struct SignalDescriptor: ~Copyable, Sendable {
  /// For a `Poller`.
  public let descriptor: OwnedDescriptor

  /// EINVAL for a number that is no signal's.
  public init(signals: [Int32]) throws(SystemError) {
    // SAFETY: the array lives for the call, which reads as many elements as are told.
    let raw = unsafe cfsr_signal_descriptor(signals, signals.count)
    descriptor = OwnedDescriptor(adopting: try check(raw, "signalfd", on: "\(signals)"))
  }

  /// The next signal that is pending; nil if none is.
  public func next() throws(SystemError) -> Int32? {
    // struct signalfd_siginfo is 128 bytes and starts with the number.
    let record: [UInt8]
    do {
      record = try descriptor.read(limit: 128)
    } catch  where error.errno == EAGAIN {
      return nil
    }
    guard record.count == 128 else { throw SystemError("read", on: descriptor.subject, errno: EPROTO) }
    return (0..<4).reduce(0) { $0 | Int32(record[$1]) << Int32(8 * $1) }
  }
}
