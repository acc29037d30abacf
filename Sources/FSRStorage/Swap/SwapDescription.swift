public import FSRState
public import FSRSystem

/// What the next owner is told of a swap file, beside a reference to it and its bitmap.
public struct SwapDescription: Equatable, Sendable {
  /// Bytes of a path.
  public static let pathLimit = 4096

  /// As the user named it, for people: the file itself goes as a descriptor.
  public let path: String
  public let file: FileIdentity
  public let header: SwapHeader

  public init(path: String, file: FileIdentity, header: SwapHeader) {
    self.path = path
    self.file = file
    self.header = header
  }

  private enum Tag {
    static let path: UInt16 = 1
    static let device: UInt16 = 2
    static let inode: UInt16 = 3
    static let vm: UInt16 = 4
    static let identityHigh: UInt16 = 5
    static let identityLow: UInt16 = 6
  }

  public var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.path, path)
    fields.put(Tag.device, file.device)
    fields.put(Tag.inode, file.inode)
    fields.put(Tag.vm, header.vm)
    fields.put(Tag.identityHigh, header.identity.high)
    fields.put(Tag.identityLow, header.identity.low)
    return fields.bytes
  }

  /// Reads a peer's description.
  public init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    path = try fields.string(Tag.path, limit: Self.pathLimit)
    file = FileIdentity(device: try fields.integer(Tag.device), inode: try fields.integer(Tag.inode))
    header = SwapHeader(
      vm: try fields.string(Tag.vm, limit: SwapHeader.nameLimit),
      identity: MachineIdentity(
        high: try fields.integer(Tag.identityHigh), low: try fields.integer(Tag.identityLow)))
  }
}
