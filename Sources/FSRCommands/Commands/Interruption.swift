internal import FSRSystem

/// Whether somebody wants this process to end: Ctrl-C, or a plain kill. Made before any thread is started.
final class Interruption {
  private let signals: SignalDescriptor
  private var isSeen = false

  init() throws(SystemError) {
    signals = try SignalDescriptor(signals: [SignalNumber.interrupt, SignalNumber.terminate])
  }

  var hasCome: Bool {
    if !isSeen { isSeen = (try? signals.next()) != nil }
    return isSeen
  }

  /// Throws once it has come.
  func check() throws(Failure) { if hasCome { throw Failure(.failed, "interrupted; all was cleared up") } }
}
