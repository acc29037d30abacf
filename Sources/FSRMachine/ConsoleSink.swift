/// Where the guest's serial output goes.
public protocol ConsoleSink: Sendable {
  /// Takes one byte. It must not block: a hart waits for it.
  func write(_ byte: UInt8)
}
