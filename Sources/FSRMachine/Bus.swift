public import FSRState

/// What became of a store to a device.
public enum BusOutcome: Equatable, Sendable {
  case done
  /// Nothing answers there, or not in that width: the guest gets an access fault.
  case fault
  case ended(GuestEnd)
}

/// A device with registers in guest-physical addresses. Several harts may come at once.
protocol BusDevice: AnyObject, Sendable {
  /// The value of `width` (1, 2, 4, 8) bytes at `offset` in the device's window; nil is an access fault.
  func load(_ offset: UInt64, width: Int) -> UInt64?
  /// Stores the low `width` bytes of `value`.
  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome
}

/// Everything outside RAM.
public final class Bus: Sendable {
  /// The addresses a device answers at.
  struct Window: Sendable {
    let base: UInt64
    let size: UInt64
    let device: any BusDevice
  }

  private let windows: [Window]

  init(_ windows: [Window]) { self.windows = windows }

  /// A load of `width` bytes at a guest-physical address; nil where nothing answers.
  public func load(_ address: UInt64, width: Int) -> UInt64? {
    guard let window = window(address, width) else { return nil }
    return window.device.load(address &- window.base, width: width)
  }

  /// A store of the low `width` bytes of `value` at a guest-physical address.
  public func store(_ value: UInt64, at address: UInt64, width: Int) -> BusOutcome {
    guard let window = window(address, width) else { return .fault }
    return window.device.store(value, at: address &- window.base, width: width)
  }

  /// Devices take aligned accesses that lie in one window.
  private func window(_ address: UInt64, _ width: Int) -> Window? {
    guard address % UInt64(width) == 0 else { return nil }
    for window in windows where address &- window.base < window.size { return window }
    return nil
  }
}
