/// What a VM consists of besides the state of its checkpoint: memory, descriptors, static state, and how its
/// VMM is started. The descriptors themselves ride beside it, in the order of `slots`.
///
/// A manifest is a plain value: it is printed, compared and fuzzed. It is sent before the stun, and kept in a
/// memfd of its own so that whoever holds the descriptors can read what they are.
public struct Manifest: Equatable, Sendable {
  /// One stretch of guest memory.
  public struct Memory: Equatable, Sendable {
    /// Index into `slots`.
    public let slot: Int
    /// Bytes.
    public let size: UInt64
    /// Where the board shows it.
    public let guestAddress: UInt64

    public init(slot: Int, size: UInt64, guestAddress: UInt64) {
      self.slot = slot
      self.size = size
      self.guestAddress = guestAddress
    }
  }

  /// The slot of the source's own executable, opened: a successor is started from it even when the file has
  /// been replaced or removed since.
  public static let executableSlot = "executable"
  public static let slotLimit = 64
  public static let nameLimit = 64
  public static let memoryLimit = 64
  public static let argumentLimit = 256
  public static let textLimit = 4096
  /// Bytes of an encoded manifest: it must fit one message's worth of memory many times over.
  public static let sizeLimit = 4 << 20
  /// Bytes of a checkpoint.
  public static let checkpointLimit: UInt64 = 64 << 20

  public var name: String
  public var machine: MachineIdentity
  public var slots: [String]
  public var memory: [Memory]
  /// State that does not change while the guest runs.
  public var sections: [StateSection]
  /// Bytes of the memory set aside for the checkpoint.
  public var checkpointCapacity: UInt64
  /// How the VMM of the source's build is started.
  public var executable: String
  public var arguments: [String]

  public init(
    name: String, machine: MachineIdentity, slots: [String], memory: [Memory], sections: [StateSection],
    checkpointCapacity: UInt64, executable: String, arguments: [String]
  ) {
    self.name = name
    self.machine = machine
    self.slots = slots
    self.memory = memory
    self.sections = sections
    self.checkpointCapacity = checkpointCapacity
    self.executable = executable
    self.arguments = arguments
  }

  /// The static section named `name`.
  public func section(_ name: String) throws(StateError) -> StateSection {
    guard let section = sections.first(where: { $0.name == name }) else { throw .missingSection(name) }
    return section
  }

  private enum Tag {
    static let name: UInt16 = 1
    static let machineHigh: UInt16 = 2
    static let machineLow: UInt16 = 3
    static let slots: UInt16 = 4
    static let memory: UInt16 = 5
    static let sections: UInt16 = 6
    static let checkpointCapacity: UInt16 = 7
    static let executable: UInt16 = 8
    static let arguments: UInt16 = 9
  }

  public var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.name, name)
    fields.put(Tag.machineHigh, machine.high)
    fields.put(Tag.machineLow, machine.low)
    fields.put(Tag.slots, list: slots) { slot, writer in writer.write(slot) }
    fields.put(Tag.memory, list: memory) { region, writer in
      writer.write(UInt32(region.slot))
      writer.write(region.size)
      writer.write(region.guestAddress)
    }
    fields.put(Tag.sections, list: sections) { section, writer in
      writer.write(section.name)
      writer.write(section.version)
      writer.write(section.isNeeded)
      writer.write(counted: section.payload)
    }
    fields.put(Tag.checkpointCapacity, checkpointCapacity)
    fields.put(Tag.executable, executable)
    fields.put(Tag.arguments, list: arguments) { argument, writer in writer.write(argument) }
    return fields.bytes
  }

  public init(decoding bytes: [UInt8]) throws(StateError) {
    guard bytes.count <= Self.sizeLimit else { throw .tooLong(bytes.count, limit: Self.sizeLimit) }
    let fields = try FieldReader(bytes)
    name = try fields.string(Tag.name, limit: Self.nameLimit)
    machine = MachineIdentity(
      high: try fields.integer(Tag.machineHigh), low: try fields.integer(Tag.machineLow))
    slots = try fields.list(Tag.slots, limit: Self.slotLimit) { reader throws(StateError) in
      try reader.readString(limit: Self.nameLimit)
    }
    for (index, slot) in slots.enumerated() where slots[..<index].contains(slot) {
      throw .duplicateSection(slot)
    }
    let slotCount = slots.count
    memory = try fields.list(Tag.memory, limit: Self.memoryLimit) { reader throws(StateError) in
      let slot = Int(try reader.read(UInt32.self))
      guard slot < slotCount else { throw .invalid("memory slot", UInt64(slot)) }
      let size = try reader.read(UInt64.self)
      let address = try reader.read(UInt64.self)
      guard size > 0, size <= 1 << 52, address <= UInt64.max - size else {
        throw .invalid("memory size", size)
      }
      return Memory(slot: slot, size: size, guestAddress: address)
    }
    sections = try fields.list(Tag.sections, limit: Checkpoint.sectionLimit) { reader throws(StateError) in
      StateSection(
        name: try reader.readString(limit: Checkpoint.nameLimit), version: try reader.read(),
        isNeeded: try reader.readBool(), payload: try reader.readCounted(limit: Checkpoint.payloadLimit))
    }
    guard Set(sections.map(\.name)).count == sections.count else {
      throw .duplicateSection("of the manifest")
    }
    checkpointCapacity = try fields.integer(Tag.checkpointCapacity)
    guard checkpointCapacity > 0, checkpointCapacity <= Self.checkpointLimit else {
      throw .invalid("checkpoint capacity", checkpointCapacity)
    }
    executable = try fields.string(Tag.executable, limit: Self.textLimit)
    arguments = try fields.list(Tag.arguments, limit: Self.argumentLimit) { reader throws(StateError) in
      try reader.readString(limit: Self.textLimit)
    }
  }
}
