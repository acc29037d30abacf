internal import FSRState

/// The register by which a guest ends itself; it has no state.
final class TestFinisher: BusDevice {
  private static func isTaken(_ width: Int) -> Bool { width == 2 || width == 4 }

  func load(_ offset: UInt64, width: Int) -> UInt64? { Self.isTaken(width) ? 0 : nil }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    guard Self.isTaken(width) else { return .fault }
    guard offset == 0 else { return .done }
    let code = (value >> 16) & 0xffff
    switch value & 0xffff {
    case 0x5555: return .ended(.passed)
    case 0x3333: return .ended(.failed(code: code))
    case 0x7777: return .ended(.reset)
    default: return .done
    }
  }
}
