public import FSRState

extension GuestEnd {
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
