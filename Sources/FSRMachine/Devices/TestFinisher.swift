/// The register by which a guest ends itself; it has no state.
final class TestFinisher: BusDevice {
  func load(_ offset: UInt64, width: Int) -> UInt64? { width == 2 || width == 4 ? 0 : nil }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    guard width == 2 || width == 4 else { return .fault }
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
