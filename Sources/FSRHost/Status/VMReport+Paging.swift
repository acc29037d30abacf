internal import FSRState

/// How a guest fares that is larger than its memory.
extension VMReport {
  public struct Paging: Equatable, Sendable {
    /// Bytes.
    public var residentLimit: UInt64 = 0
    /// Bytes that evicted pages may take compressed.
    public var compression: UInt64 = 0
    public var pages = Pages()
    public var swap = Swap()
    public var faults = Faults()
    public var rates = Rates()
    /// Nanoseconds that a fault took: the 50th, 90th and 99th percentile, and the longest.
    public var waits: [UInt64] = []
    /// Why nothing can be written or read; empty where all is well.
    public var trouble = ""

    public init() {}

    /// Where the guest's pages are; the rest were never touched.
    public struct Pages: Equatable, Sendable {
      public var resident: UInt64 = 0
      public var compressed: UInt64 = 0
      public var swapped: UInt64 = 0
    }

    /// The swap file.
    public struct Swap: Equatable, Sendable {
      public var path = ""
      /// Each of a page.
      public var slots: UInt64 = 0
      public var used: UInt64 = 0
    }

    /// Since the guest came to its VMM.
    public struct Faults: Equatable, Sendable {
      /// Of pages that were only not mapped.
      public var minor: UInt64 = 0
      /// Of pages that had to be brought in.
      public var missing: UInt64 = 0
      public var evictions: UInt64 = 0
      /// Pages.
      public var readAhead: UInt64 = 0
      /// Operations that failed, of the swap file and of the host's memory, also those that were tried again with success.
      public var failures: UInt64 = 0
    }

    /// A second, since it was asked last, or since the guest came.
    public struct Rates: Equatable, Sendable {
      public var evictions: UInt64 = 0
      /// Of both kinds.
      public var faults: UInt64 = 0
    }
  }
}

/// What a VMM answers of its guest's paging.
extension VMReport.Paging {
  static let waitCount = 4

  private enum Tag {
    static let numbers: UInt16 = 1
    static let waits: UInt16 = 2
    static let swapPath: UInt16 = 3
    static let trouble: UInt16 = 4
  }

  private static var numbers: [WritableKeyPath<Self, UInt64>] {
    [
      \.residentLimit, \.compression, \.pages.resident, \.pages.compressed, \.pages.swapped, \.swap.slots,
      \.swap.used, \.faults.minor, \.faults.missing, \.faults.evictions, \.faults.readAhead,
      \.rates.evictions, \.rates.faults, \.faults.failures,
    ]
  }

  var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.numbers, list: Self.numbers.map { self[keyPath: $0] }) { $1.write($0) }
    fields.put(Tag.waits, list: waits) { $1.write($0) }
    fields.put(Tag.swapPath, swap.path)
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
    swap.path = try fields.string(Tag.swapPath, limit: Manifest.textLimit)
    trouble = try fields.string(Tag.trouble, limit: 4096)
  }
}
