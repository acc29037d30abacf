public import FSRState
internal import FSRSystem

/// The first page of a swap file: that it is one, and whose. The pages behind it are the slots.
///
/// What a former VM left behind is of no use to anybody, so the header of a file that nobody has locked is written
/// anew.
public struct SwapHeader: Equatable, Sendable {
  static let magic: [UInt8] = Array("FSRSWAP\n".utf8)
  static let version: UInt32 = 1
  /// Pages before the first slot.
  static let pages: UInt64 = 1
  /// Bytes of a VM's name.
  public static let nameLimit = 255

  /// The VM's name, for people.
  public let vm: String
  /// The VM itself.
  public let identity: MachineIdentity

  /// - Parameter vm: at most `nameLimit` bytes, else it traps.
  public init(vm: String, identity: MachineIdentity) {
    precondition(vm.utf8.count <= Self.nameLimit, "a name within the limit")
    self.vm = vm
    self.identity = identity
  }

  /// A page.
  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: Int(PageTransfer.pageSize))
    writer.write(raw: Self.magic)
    writer.write(Self.version)
    writer.write(identity.high)
    writer.write(identity.low)
    writer.write(vm)
    writer.write(Checksum.of(writer.bytes))
    let bytes = writer.bytes
    return bytes + Array(repeating: 0, count: Int(PageTransfer.pageSize) - bytes.count)
  }

  /// Whether a file that begins so was written as a swap file, of whatever version.
  static func isOurs(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  init(decoding bytes: [UInt8]) throws(SwapError) {
    do throws(StateError) {
      var reader = ByteReader(bytes)
      guard try reader.read(count: Self.magic.count) == Self.magic else { throw .invalid("beginning", 0) }
      let version = try reader.read(UInt32.self)
      guard version == Self.version else { throw .invalid("version", UInt64(version)) }
      identity = MachineIdentity(high: try reader.read(), low: try reader.read())
      vm = try reader.readString(limit: Self.nameLimit)
      let end = bytes.count - reader.remaining
      guard try reader.read(UInt64.self) == Checksum.of(Array(bytes[..<end])) else { throw .checksum }
    } catch { throw .undecodable("\(error)") }
  }
}
