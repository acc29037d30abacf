/// How the guest ended itself.
public enum GuestEnd: Equatable, Sendable {
  /// The finisher was told 0x5555, or `tohost` 1.
  case passed
  /// The finisher was told 0x3333, or `tohost` an odd number: its code.
  case failed(code: UInt64)
  /// The finisher was told 0x7777.
  case reset
  /// Every hart is caught in its trap: the handler lies where nothing can be fetched, and no interrupt can come.
  /// The cause (mcause) and the address of the last one.
  case crashed(cause: UInt64, address: UInt64)
  /// `tohost` holds an even number: a request of the host interface, which this board does not serve.
  case hostRequest(UInt64)
}
