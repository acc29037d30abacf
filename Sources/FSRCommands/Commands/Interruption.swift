internal import FSRSystem

/// Whether somebody wants this process to end: Ctrl-C, a plain kill, or a terminal that is gone. Made before any
/// thread is started.
final class Interruption {
  private let signals: SignalDescriptor
  private var seen: Int32?

  init() throws(SystemError) { signals = try SignalDescriptor(signals: Self.signals) }

  /// The signals that ask for it. One that was ignored when this process began stays so: nohup(1) means that.
  static var signals: [Int32] {
    let hangup = SignalNumber.hangup
    return [SignalNumber.interrupt, SignalNumber.terminate] + (SignalAction.isIgnored(hangup) ? [] : [hangup])
  }

  var hasCome: Bool {
    if seen == nil { seen = (try? signals.next()).flatMap { $0 } }
    return seen != nil
  }

  /// What has come, as people know it.
  var name: String { seen.map(SignalNumber.name) ?? "a signal" }

  /// Throws once it has come.
  func check() throws(Failure) {
    if hasCome { throw Failure(.failed, "interrupted by \(name); all was cleared up") }
  }
}

/// A command that sees to the signals of `Interruption` itself.
protocol Interruptible {
  /// Whether it does, as it was called.
  var seesToSignals: Bool { get }
}

extension Interruptible {
  var seesToSignals: Bool { true }
}
