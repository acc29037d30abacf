/// Writes a flattened device tree (Devicetree Specification 0.4, version 17).
struct DeviceTreeWriter {
  private var structure: [UInt8] = []
  private var strings: [UInt8] = []
  private var offsets: [String: UInt32] = [:]
  private var depth = 0

  mutating func node(_ name: String, _ body: (inout DeviceTreeWriter) -> Void) {
    append(1)
    append(text: name)
    depth += 1
    body(&self)
    depth -= 1
    append(2)
  }

  /// A property without a value.
  mutating func property(_ name: String) { property(name, bytes: []) }

  /// A property of 32-bit cells.
  mutating func property(_ name: String, cells: [UInt32]) {
    property(name, bytes: cells.flatMap(Self.bigEndian))
  }

  /// A property of strings, each with its terminator.
  mutating func property(_ name: String, _ texts: String...) {
    property(name, bytes: texts.flatMap { Array($0.utf8) + [0] })
  }

  private mutating func property(_ name: String, bytes: [UInt8]) {
    precondition(depth > 0, "a property is in a node")
    append(3)
    append(UInt32(bytes.count))
    append(nameOffset(name))
    structure += bytes
    pad()
  }

  /// The finished blob, `limit` bytes at most: its size depends only on what the board itself has.
  consuming func finish(limit: Int) -> [UInt8] {
    precondition(depth == 0, "every node is closed")
    append(9)
    let reservations = 40
    let structureStart = reservations + 16
    let stringsStart = structureStart + structure.count
    let total = stringsStart + strings.count
    precondition(total <= limit, "the device tree has its room")
    let header: [UInt32] = [
      0xd00d_feed, UInt32(total), UInt32(structureStart), UInt32(stringsStart), UInt32(reservations),
      17, 16, 0, UInt32(strings.count), UInt32(structure.count),
    ]
    return header.flatMap(Self.bigEndian) + [UInt8](repeating: 0, count: 16) + structure + strings
  }

  private mutating func nameOffset(_ name: String) -> UInt32 {
    if let known = offsets[name] { return known }
    let offset = UInt32(strings.count)
    offsets[name] = offset
    strings += Array(name.utf8) + [0]
    return offset
  }

  private mutating func append(_ cell: UInt32) { structure += Self.bigEndian(cell) }

  private mutating func append(text: String) {
    structure += Array(text.utf8) + [0]
    pad()
  }

  private mutating func pad() { while structure.count % 4 != 0 { structure.append(0) } }

  private static func bigEndian(_ cell: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: cell >> $0) }
  }
}
