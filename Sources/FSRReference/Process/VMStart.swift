internal import FSRState

/// What a new VMM is told: one packet, with the descriptors folder, guest image and console file.
struct VMStart {
  /// Bytes of a guest image.
  static let imageLimit = 256 << 20

  var configuration: VMConfiguration
  var hasImage: Bool
  var hasConsole: Bool
  var ports: [Port] = []

  init(configuration: VMConfiguration, hasImage: Bool, hasConsole: Bool, ports: [Port] = []) {
    self.configuration = configuration
    self.hasImage = hasImage
    self.hasConsole = hasConsole
    self.ports = ports
  }

  var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(1, configuration.encoded)
    fields.put(2, UInt8(hasImage ? 1 : 0))
    fields.put(3, UInt8(hasConsole ? 1 : 0))
    fields.put(4, Port.encode(ports))
    return fields.bytes
  }

  init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    guard let inner = fields.bytes(1) else { throw .invalid("missing field", 1) }
    configuration = try VMConfiguration(decoding: inner)
    hasImage = try fields.integer(2, as: UInt8.self) == 1
    hasConsole = try fields.integer(3, as: UInt8.self) == 1
    if let inner = fields.bytes(4) { ports = try Port.decode(inner) }
  }
}

/// What a new VMM answers: the guest runs, or why not.
enum VMStartReply: Equatable {
  case running
  case refused(String)

  var encoded: [UInt8] {
    switch self {
    case .running: [0]
    case .refused(let reason): [1] + Array(reason.utf8.prefix(4096))
    }
  }

  init?(_ bytes: [UInt8]) {
    switch bytes.first {
    case 0: self = .running
    case 1: self = .refused(String(decoding: bytes.dropFirst(), as: UTF8.self))
    default: return nil
    }
  }
}
