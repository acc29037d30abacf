package import FSRState

/// What a new VMM is told: one packet, with the descriptors folder, guest image and console file.
package struct VMStart {
  /// The environment's: names the socket on which a new VMM is told what to run.
  package static let variable = "FSR_START_FD"
  /// Bytes of a guest image.
  package static let imageLimit = 256 << 20

  package var configuration: VMConfiguration
  package var hasImage: Bool
  package var hasConsole: Bool
  package var ports: [TapPort] = []

  package init(configuration: VMConfiguration, hasImage: Bool, hasConsole: Bool, ports: [TapPort] = []) {
    self.configuration = configuration
    self.hasImage = hasImage
    self.hasConsole = hasConsole
    self.ports = ports
  }

  package var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(1, configuration.encoded)
    fields.put(2, UInt8(hasImage ? 1 : 0))
    fields.put(3, UInt8(hasConsole ? 1 : 0))
    fields.put(4, TapPort.encode(ports))
    return fields.bytes
  }

  package init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    guard let inner = fields.bytes(1) else { throw .invalid("missing field", 1) }
    configuration = try VMConfiguration(decoding: inner)
    hasImage = try fields.integer(2, as: UInt8.self) == 1
    hasConsole = try fields.integer(3, as: UInt8.self) == 1
    if let inner = fields.bytes(4) { ports = try TapPort.decode(inner) }
  }
}
