internal import FSRState

/// What a VMM answers of its guest's paging.
extension VMStatus.Paging {
  static let waitCount = 4

  private enum Tag {
    static let numbers: UInt16 = 1
    static let waits: UInt16 = 2
    static let swapPath: UInt16 = 3
    static let trouble: UInt16 = 4
  }

  private static var numbers: [WritableKeyPath<Self, UInt64>] {
    [
      \.residentLimit, \.compression, \.residentPages, \.compressedPages, \.swappedPages, \.slots,
      \.usedSlots,
      \.minorFaults, \.missingFaults, \.evictions, \.readAhead,
      \.evictionsPerSecond, \.faultsPerSecond, \.failures,
    ]
  }

  var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.numbers, list: Self.numbers.map { self[keyPath: $0] }) { $1.write($0) }
    fields.put(Tag.waits, list: waits) { $1.write($0) }
    fields.put(Tag.swapPath, swapPath)
    fields.put(Tag.trouble, trouble)
    return fields.bytes
  }

  init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    // A newer VMM may know more of them.
    let values = try fields.list(Tag.numbers, limit: 64) { reader throws(StateError) in
      try reader.read(UInt64.self)
    }
    for (path, value) in zip(Self.numbers, values) { self[keyPath: path] = value }
    waits = try fields.list(Tag.waits, limit: Self.waitCount) { reader throws(StateError) in
      try reader.read(UInt64.self)
    }
    swapPath = try fields.string(Tag.swapPath, limit: Manifest.textLimit)
    trouble = try fields.string(Tag.trouble, limit: 4096)
  }
}
