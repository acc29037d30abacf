internal import CFSRLinux

/// What of a tap stays as it was set when the last queue goes, where the tap itself stays.
public struct TapSettings: Equatable, Sendable {
  /// Bytes before each frame.
  public var headerSize: Int
  /// What the host may leave undone in frames (TUNSETOFFLOAD), more than `TapOffloads` names.
  public var offloads: UInt32

  public init(headerSize: Int, offloads: UInt32) {
    self.headerSize = headerSize
    self.offloads = offloads
  }

  /// As ethtool(8) shows them of a tap, with the kernel's words for them.
  fileprivate static let features: [(name: String, offloads: UInt32)] = [
    ("tx-checksum-ip-generic", CFSR_TAP_CHECKSUM), ("tx-tcp-segmentation", CFSR_TAP_SEGMENT_4),
    ("tx-tcp6-segmentation", CFSR_TAP_SEGMENT_6), ("tx-tcp-ecn-segmentation", CFSR_TAP_SEGMENT_ECN),
    ("tx-udp-segmentation", CFSR_TAP_SEGMENT_UDP),
  ]
}

extension TapQueue {
  /// How the tap is set now.
  public func settings() throws(SystemError) -> TapSettings {
    TapSettings(
      headerSize: try headerSize(), offloads: try NetworkInterface.offloads(of: try identity().name))
  }

  /// Sets the tap so again, and lets all frames in.
  public func restore(_ settings: TapSettings) throws(SystemError) {
    try setHeaderSize(settings.headerSize)
    do throws(SystemError) { try setOffloads(settings.offloads) } catch {
      // A kernel that does not know one of them.
      if !error.isInvalid { throw error }
      try setOffloads(settings.offloads & UInt32(TapOffloads.all.rawValue))
    }
    try acceptAll()
  }
}

extension NetworkInterface {
  /// What the host leaves undone in the frames that it sends to the tap `name`.
  static func offloads(of name: String) throws(SystemError) -> UInt32 {
    let features = TapSettings.features
    let on = try isOn(CStrings(features.map(\.name)), count: features.count, of: name)
    return features.indices.reduce(0) { on >> UInt32($1) & 1 == 1 ? $0 | features[$1].offloads : $0 }
  }

  /// A bit for each feature.
  private static func isOn(_ features: borrowing CStrings, count: Int, of name: String) throws(SystemError)
    -> UInt32
  {
    var on: UInt32 = 0
    // SAFETY: the strings live for the call, which reads as many as are told.
    let answer = unsafe name.withCString { unsafe cfsr_interface_features($0, features.base, count, &on) }
    try check(answer, "SIOCETHTOOL", on: name)
    return on
  }
}
