package import FSRState
public import FSRSystem

/// The host's side of a network card, in words: which tap, and how it is set. The descriptors ride beside it.
public struct TapPort: Equatable, Sendable {
  /// Ports of one VM.
  public static let limit = 8
  /// Queues of one port.
  public static let queueLimit = 8
  /// Queues of all ports of one VM: each is a slot of the manifest.
  public static let totalQueueLimit = 32
  /// Bytes in the name of an interface.
  public static let nameLimit = 15
  /// What the kernel takes for a tap.
  public static let mtuRange = 68...65521

  /// What becomes of the frames that come in.
  public enum Consumer: UInt8, Sendable, CaseIterable {
    /// They are counted and dropped: the guest has no network card.
    case none = 0
    /// The VMM answers each with its addresses swapped.
    case echo = 1
  }

  /// The interface that it was attached to at the start; it may have been renamed since.
  public var tap: String
  public var mac: MACAddress
  public var queues: Int
  /// Bytes that a frame carries at most; 0, before the tap is there, for as many as it is set to.
  public var mtu: Int
  public var offloads: TapOffloads
  public var consumer: Consumer

  public init(
    tap: String, mac: MACAddress, queues: Int = 1, mtu: Int = 0, offloads: TapOffloads = [],
    consumer: Consumer = .none
  ) {
    self.tap = tap
    self.mac = mac
    self.queues = queues
    self.mtu = mtu
    self.offloads = offloads
    self.consumer = consumer
  }

  /// Whether an interface may have that name: 1 to 15 letters, digits, `.`, `_` and `-`.
  public static func isName(_ text: String) -> Bool {
    (1...nameLimit).contains(text.utf8.count) && text != "." && text != ".."
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: Array("._-".utf8).contains(byte)
        }
      }
  }

  /// Why one VM cannot have all of `ports`; nil where it can.
  public static func obstacle(to ports: [TapPort]) -> String? {
    if ports.count > limit { return "a VM has at most \(limit) ports" }
    if ports.map(\.queues).reduce(0, +) > totalQueueLimit {
      return "the ports of a VM have at most \(totalQueueLimit) queues together"
    }
    if Set(ports.map(\.tap)).count < ports.count { return "a tap is named twice" }
    if Set(ports.map(\.mac)).count < ports.count { return "a MAC address is given twice" }
    return nil
  }
}

extension TapPort {
  /// The static section of a manifest that has a VM's ports.
  package static let section = "ports"
  package static let sectionVersion: UInt16 = 1

  private enum Tag {
    static let tap: UInt16 = 1
    static let mac: UInt16 = 2
    static let queues: UInt16 = 3
    static let mtu: UInt16 = 4
    static let offloads: UInt16 = 5
    static let consumer: UInt16 = 6
    static let headerSize: UInt16 = 7
    static let filter: UInt16 = 8
  }

  /// The only filter there is: frames to the port's address, to groups and to all.
  private static let stationFilter: UInt8 = 1
  private static let encodedLimit = 4096

  /// Ports as bytes: their count, then each as fields behind its length.
  package static func encode(_ ports: [TapPort]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt8(ports.count))
    for port in ports { writer.write(counted: port.encoded) }
    return writer.bytes
  }

  package static func decode(_ bytes: [UInt8]) throws(StateError) -> [TapPort] {
    var reader = ByteReader(bytes)
    let count = Int(try reader.read(UInt8.self))
    guard count <= limit else { throw .tooLong(count, limit: limit) }
    var ports: [TapPort] = []
    for _ in 0..<count { ports.append(try TapPort(decoding: try reader.readCounted(limit: encodedLimit))) }
    try reader.finish()
    guard obstacle(to: ports) == nil else { throw .invalid("set of ports", UInt64(count)) }
    return ports
  }

  private var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.tap, tap)
    fields.put(Tag.mac, mac.bytes)
    fields.put(Tag.queues, UInt8(queues))
    fields.put(Tag.mtu, UInt32(mtu))
    fields.put(Tag.offloads, offloads.rawValue)
    fields.put(Tag.consumer, consumer.rawValue)
    fields.put(Tag.headerSize, UInt8(TapQueue.headerSize))
    fields.put(Tag.filter, Self.stationFilter)
    return fields.bytes
  }

  private init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    tap = try fields.string(Tag.tap, limit: Self.nameLimit)
    guard Self.isName(tap) else { throw .invalid("length of a tap's name", UInt64(tap.utf8.count)) }
    guard let address = MACAddress(fields.bytes(Tag.mac) ?? []) else { throw .invalid("MAC address", 0) }
    mac = address
    queues = Int(try fields.integer(Tag.queues, as: UInt8.self))
    guard (1...Self.queueLimit).contains(queues) else { throw .invalid("queue count", UInt64(queues)) }
    mtu = Int(try fields.integer(Tag.mtu, as: UInt32.self))
    guard mtu == 0 || Self.mtuRange.contains(mtu) else { throw .invalid("MTU", UInt64(mtu)) }
    let set = try fields.integer(Tag.offloads, as: UInt8.self)
    offloads = TapOffloads(rawValue: set)
    guard offloads.isSubset(of: .all) else { throw .invalid("offloads", UInt64(set)) }
    let use = try fields.integer(Tag.consumer, as: UInt8.self)
    guard let known = Consumer(rawValue: use) else { throw .invalid("use of a port", UInt64(use)) }
    consumer = known
    let header = try fields.integer(Tag.headerSize, as: UInt8.self)
    guard Int(header) == TapQueue.headerSize else { throw .invalid("header size", UInt64(header)) }
    let filter = try fields.integer(Tag.filter, as: UInt8.self)
    guard filter == Self.stationFilter else { throw .invalid("filter", UInt64(filter)) }
  }
}
