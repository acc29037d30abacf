internal import FSRMemory
internal import FSRState
internal import FSRSystem

/// How a guest lives in less memory than it has.
public struct PagingConfiguration: Equatable, Sendable {
  /// The least of RAM, beyond what is reserved, that is kept resident: every hart needs some pages at once.
  public static let smallestResident: UInt64 = 1 << 20
  /// The least that a compression cache may hold.
  public static let smallestCompression: UInt64 = 64 << 10

  /// Bytes of RAM that may be resident, whole pages, with those that are reserved.
  public var resident: UInt64
  /// The swap file's path, absolute.
  public var swap: String
  /// Bytes of evicted pages that are kept compressed; 0 for none.
  public var compression: UInt64
  /// Failures of the swap file to commit on purpose, as `IOFaultPlan` reads them.
  public var faults = ""

  public init(resident: UInt64, swap: String, compression: UInt64? = nil) {
    self.resident = resident
    self.swap = swap
    let tenth = resident / 10 / GuestMemory.pageSize * GuestMemory.pageSize
    self.compression =
      compression.map { $0 / GuestMemory.pageSize * GuestMemory.pageSize }
      ?? max(tenth, Self.smallestCompression)
  }

  private enum Tag {
    static let resident: UInt16 = 1
    static let swap: UInt16 = 2
    static let compression: UInt16 = 3
    static let faults: UInt16 = 4
  }

  var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.resident, resident)
    fields.put(Tag.swap, swap)
    fields.put(Tag.compression, compression)
    fields.put(Tag.faults, faults)
    return fields.bytes
  }

  /// - Parameters:
  ///   - memory: bytes of RAM.
  ///   - reserve: bytes of it that are reserved.
  init(decoding bytes: [UInt8], memory: UInt64, reserve: UInt64) throws(StateError) {
    let fields = try FieldReader(bytes)
    resident = try fields.integer(Tag.resident)
    swap = try fields.string(Tag.swap, limit: Manifest.textLimit)
    compression = try fields.integer(Tag.compression)
    guard resident % GuestMemory.pageSize == 0, resident <= memory, resident >= reserve,
      resident - reserve >= Self.smallestResident
    else { throw .invalid("resident limit", resident) }
    guard compression == 0 || (Self.smallestCompression...memory).contains(compression) else {
      throw .invalid("compression cache", compression)
    }
    faults = try fields.string(Tag.faults, limit: IOFaultPlan.textLimit)
    guard faults.isEmpty || IOFaultPlan(faults) != nil else { throw .invalid("plan of faults", 0) }
    guard compression % GuestMemory.pageSize == 0 else { throw .invalid("compression cache", compression) }
    guard swap.hasPrefix("/") else { throw .invalid("swap path", UInt64(swap.utf8.count)) }
  }
}
