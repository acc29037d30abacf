/// All sections of a stunned guest, as they lie in shared memory between the two VMMs.
///
/// ```
/// 0   magic "FSRCKPT" and format 1      8 bytes
/// 8   identity of the VM               16
/// 24  attempt                           4
/// 28  number of sections                4
/// 32  sections, one behind the other:
///     name length 1, name, version 2, needed 1, payload length 4, payload
/// ```
/// Length and checksum travel in the control block, beside the flag that says complete.
public struct Checkpoint: Equatable, Sendable {
  public static let magic: UInt64 = 0x0154_504b_4352_5346
  public static let sectionLimit = 4096
  public static let nameLimit = 32
  public static let payloadLimit = 16 << 20

  public let machine: MachineIdentity
  public let attempt: UInt32
  public let sections: [StateSection]

  public init(machine: MachineIdentity, attempt: UInt32, sections: [StateSection]) {
    self.machine = machine
    self.attempt = attempt
    self.sections = sections
  }

  /// The section named `name`.
  ///
  /// - Throws: `StateError.missingSection`.
  public func section(_ name: String) throws(StateError) -> StateSection {
    guard let section = sections.first(where: { $0.name == name }) else { throw .missingSection(name) }
    return section
  }

  /// Reads a checkpoint out of a private copy of the shared bytes.
  ///
  /// - Throws: `StateError` for anything that is not exactly a checkpoint.
  public init(decoding bytes: [UInt8]) throws(StateError) {
    var reader = ByteReader(bytes)
    guard try reader.read(UInt64.self) == Self.magic else { throw .notACheckpoint }
    machine = MachineIdentity(high: try reader.read(), low: try reader.read())
    attempt = try reader.read()
    let count = Int(try reader.read(UInt32.self))
    guard count <= Self.sectionLimit else { throw .tooLong(count, limit: Self.sectionLimit) }
    var sections: [StateSection] = []
    sections.reserveCapacity(count)
    var names: Set<String> = []
    for _ in 0..<count {
      let section = try Self.readSection(&reader)
      guard names.insert(section.name).inserted else { throw .duplicateSection(section.name) }
      sections.append(section)
    }
    try reader.finish()
    self.sections = sections
  }

  private static func readSection(_ reader: inout ByteReader) throws(StateError) -> StateSection {
    let length = Int(try reader.read(UInt8.self))
    guard length > 0, length <= nameLimit else { throw .tooLong(length, limit: nameLimit) }
    guard let name = String(validating: try reader.read(count: length), as: UTF8.self) else { throw .notText }
    let version = try reader.read(UInt16.self)
    let isNeeded = try reader.readBool()
    let payload = try reader.readCounted(limit: payloadLimit)
    return StateSection(name: name, version: version, isNeeded: isNeeded, payload: payload)
  }
}

/// Appends sections while the guest is stunned: into room set aside before, without allocating. In a handoff that is the
/// shared memory itself; what it has no room for is counted, and left out.
public struct CheckpointWriter: Sendable {
  private var writer: ByteWriter
  private var count: UInt32 = 0
  private static let countOffset = 28

  /// - Parameter capacity: bytes to set aside.
  public init(machine: MachineIdentity, attempt: UInt32, capacity: Int) {
    self.init(machine: machine, attempt: attempt, writer: ByteWriter(capacity: capacity))
  }

  /// Writes straight to `sink`.
  public init(machine: MachineIdentity, attempt: UInt32, to sink: any ByteSink) {
    self.init(machine: machine, attempt: attempt, writer: ByteWriter(to: sink))
  }

  private init(machine: MachineIdentity, attempt: UInt32, writer: consuming ByteWriter) {
    self.writer = writer
    self.writer.write(Checkpoint.magic)
    self.writer.write(machine.high)
    self.writer.write(machine.low)
    self.writer.write(attempt)
    self.writer.write(count)
  }

  /// Appends one section, whose payload `save` writes.
  public mutating func section(
    _ name: String, index: Int? = nil, version: UInt16, isNeeded: Bool = true,
    save: (inout ByteWriter) -> Void
  ) {
    let nameAt = writer.count
    writer.write(UInt8(0))
    writer.write(name: name, index: index)
    writer.overwrite(at: nameAt, with: UInt8(writer.count - nameAt - 1))
    writer.write(version)
    writer.write(isNeeded)
    let lengthAt = writer.count
    writer.write(UInt32(0))
    save(&writer)
    writer.overwrite(at: lengthAt, with: UInt32(writer.count - lengthAt - 4))
    count += 1
    writer.overwrite(at: Self.countOffset, with: count)
  }

  /// Appends a section as it was read: one that this build does not know, passed on.
  public mutating func passOn(_ section: StateSection) {
    writer.write(UInt8(section.name.utf8.count))
    writer.write(name: section.name, index: nil)
    writer.write(section.version)
    writer.write(section.isNeeded)
    writer.write(counted: section.payload)
    count += 1
    writer.overwrite(at: Self.countOffset, with: count)
  }

  /// How many bytes it has, or would have with more room.
  public var length: Int { writer.count }

  /// What was written, where that is not to a sink.
  public var bytes: [UInt8] { writer.bytes }
}
