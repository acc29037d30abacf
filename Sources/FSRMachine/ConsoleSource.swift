/// Where the guest's serial input comes from.
public protocol ConsoleSource: Sendable {
  /// The next byte typed for the guest, or nil where there is none yet. It must not block: a hart waits for
  /// it. Calls come one at a time.
  func take() -> UInt8?
}
