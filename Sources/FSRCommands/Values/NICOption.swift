internal import FSRClient
package import FSRHost
package import FSRSystem

/// A port as people type it: `tap=NAME`, and behind commas `mac=`, `queues=`, `mtu=`, `offloads=on` and `echo`.
package struct NICOption: Equatable, Sendable, CustomStringConvertible {
  /// Has the address that was given, or else one made here by chance.
  package let port: TapPort

  package var description: String { "tap=\(port.tap),mac=\(port.mac)" }

  package init(parsing text: String) throws(ValueError) {
    var generator = SystemRandomNumberGenerator()
    var port: TapPort?
    var seen: Set<Substring> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard seen.insert(pair[0]).inserted else { throw ValueError("'\(pair[0])' is there twice") }
      guard var found = port else {
        port = try Self.first(pair, using: &generator)
        continue
      }
      try Self.set(pair, in: &found)
      port = found
    }
    guard let port else { throw Self.shape }
    self.port = port
  }

  private static let shape = ValueError(
    "it is tap=NAME, and behind commas mac=ADDRESS, queues=NUMBER, mtu=BYTES, offloads=on, echo, as wanted")

  private static func first(
    _ pair: [Substring], using generator: inout some RandomNumberGenerator
  ) throws(ValueError) -> TapPort {
    guard pair.count == 2, pair[0] == "tap" else { throw shape }
    let name = String(pair[1])
    guard TapPort.isName(name) else {
      throw ValueError(
        "a tap's name has 1 to \(TapPort.nameLimit) letters, digits, dots, underscores and hyphens")
    }
    return TapPort(tap: name, mac: MACAddress.random(using: &generator))
  }

  private static func set(_ pair: [Substring], in port: inout TapPort) throws(ValueError) {
    switch (pair[0], pair.count > 1 ? String(pair[1]) : nil) {
    case ("mac", .some(let text)):
      guard let address = MACAddress(text) else {
        throw ValueError("'mac' is one station's address, such as 02:00:00:00:00:01, and no group's")
      }
      port.mac = address
    case ("queues", .some(let text)):
      port.queues = try number(text, in: 1...TapPort.queueLimit, "queues")
    case ("mtu", .some(let text)): port.mtu = try number(text, in: TapPort.mtuRange, "mtu")
    case ("offloads", "on"): port.offloads = .all
    case ("offloads", "off"): port.offloads = []
    case ("echo", nil): port.consumer = .echo
    default: throw shape
    }
  }

  private static func number(_ text: String, in range: ClosedRange<Int>, _ key: String) throws(ValueError)
    -> Int
  {
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(text), range.contains(value)
    else { throw ValueError("'\(key)' is \(range.lowerBound) to \(range.upperBound)") }
    return value
  }
}
