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

  /// What a `tohost` of `value` means; nil for what is no end. Bits 63 to 48 name a device and its command: only command
  /// 0 of device 0 is a program's end, and there 0 is nothing.
  public init?(toHost value: UInt64) {
    guard value >> 48 == 0 else { return nil }
    switch value {
    case 0: return nil
    case 1: self = .passed
    case let odd where odd & 1 == 1: self = .failed(code: odd >> 1)
    case let even: self = .hostRequest(even)
    }
  }
}
