package import FSRState
internal import FSRSystem

/// The bytes of a ledger: a head, then records of one size, each with a checksum of its own.
///
/// The sequence number goes into every record's checksum, so that records of two versions of the file do not pass as one.
extension LedgerBook {
  static let magic: UInt64 = 0x4745_444c_5253_4601
  static let headSize = 48
  static let recordSize = 176
  /// Bytes of a whole ledger.
  package static let sizeLimit = headSize + recordLimit * recordSize

  package var encoded: [UInt8] {
    var writer = ByteWriter(capacity: Self.headSize + records.count * Self.recordSize)
    writer.write(Self.magic)
    writer.write(sequence)
    writer.write(capacity ?? 0)
    writer.write(UInt64(capacity == nil ? 0 : 1))
    writer.write(UInt64(records.count))
    writer.write(Checksum.of(writer.bytes))
    for (index, record) in records.enumerated() {
      let body = Self.body(record)
      writer.write(raw: body)
      writer.write(Self.checksum(body, index, sequence))
    }
    return writer.bytes
  }

  private static func checksum(_ body: [UInt8], _ index: Int, _ sequence: UInt64) -> UInt64 {
    var writer = ByteWriter(capacity: recordSize + 16)
    writer.write(sequence)
    writer.write(UInt64(index))
    writer.write(raw: body)
    return Checksum.of(writer.bytes)
  }

  private static func body(_ record: LedgerRecord) -> [UInt8] {
    var writer = ByteWriter(capacity: recordSize)
    let name = Array(record.vm.utf8)
    writer.write(UInt16(name.count))
    writer.write(UInt16(record.nodes.first))
    writer.write(UInt32(record.heir == nil ? 0 : 1))
    writer.write(raw: name + [UInt8](repeating: 0, count: LedgerRecord.nameLimit - name.count))
    writer.write(record.machine.high)
    writer.write(record.machine.low)
    writer.write(record.bytes)
    let nobody = ProcessIdentity(pid: 0, startTime: 0, bootID: BootID(high: 0, low: 0))
    for process in [record.owner, record.heir ?? nobody] {
      writer.write(Int64(process.pid))
      writer.write(process.startTime)
      writer.write(process.bootID.high)
      writer.write(process.bootID.low)
    }
    writer.write(nodeBits(record.nodes))
    return writer.bytes
  }

  /// A bit for each node, counted from the first; 0 for one alone, as builds write that know of no other.
  private static func nodeBits(_ nodes: NodeSet) -> UInt64 {
    nodes.count == 1 ? 0 : nodes.nodes.reduce(0) { $0 | 1 << UInt64($1 - nodes.first) }
  }

  private static func nodes(first: Int, bits: UInt64) throws(StateError) -> NodeSet {
    let others = (1..<LedgerRecord.nodeReach).filter { bits >> UInt64($0) & 1 == 1 }.map { first + $0 }
    guard let nodes = NodeSet([first] + others), nodes.last <= nodeLimit else {
      throw .invalid("node", UInt64(first))
    }
    return nodes
  }

  /// - Throws: `StateError` where any byte is not as it was written, or there are fewer or more than there must be.
  package init(decoding bytes: [UInt8]) throws(StateError) {
    var reader = ByteReader(bytes)
    let (sequence, capacity, count) = try Self.head(&reader)
    self.init(capacity: capacity)
    self.sequence = sequence
    for index in 0..<count {
      let body = try reader.read(count: Self.recordSize - 8)
      guard try reader.read(UInt64.self) == Self.checksum(body, index, sequence) else { throw .checksum }
      let record = try Self.record(body)
      guard self.record(of: record.vm) == nil else { throw .invalid("second record of a VM", UInt64(index)) }
      records.append(record)
    }
    try reader.finish()
  }

  /// The capacity that the head of a damaged ledger still says; nil where none was set or the head is damaged too.
  static func salvageCapacity(of bytes: [UInt8]) -> UInt64? {
    var reader = ByteReader(bytes)
    return (try? head(&reader))?.capacity
  }

  private static func head(_ reader: inout ByteReader) throws(StateError) -> (
    sequence: UInt64, capacity: UInt64?, count: Int
  ) {
    let head = try reader.read(count: headSize - 8)
    guard try reader.read(UInt64.self) == Checksum.of(head) else { throw .checksum }
    var fields = ByteReader(head)
    let magic = try fields.read(UInt64.self)
    guard magic == Self.magic else { throw .invalid("ledger format", magic) }
    let sequence = try fields.read(UInt64.self)
    let capacity = try fields.read(UInt64.self)
    let isSet = try fields.read(UInt64.self)
    let count = try fields.read(UInt64.self)
    guard count <= UInt64(recordLimit) else { throw .invalid("count of records", count) }
    return (sequence, isSet == 0 ? nil : capacity, Int(count))
  }

  private static func record(_ body: [UInt8]) throws(StateError) -> LedgerRecord {
    var reader = ByteReader(body)
    let length = Int(try reader.read(UInt16.self))
    let node = Int(try reader.read(UInt16.self))
    let hasHeir = try reader.read(UInt32.self) != 0
    let name = try reader.read(count: LedgerRecord.nameLimit)
    guard length > 0, length <= name.count, node <= nodeLimit else {
      throw .invalid("record", UInt64(length))
    }
    guard let vm = String(validating: name[..<length], as: UTF8.self) else { throw .notText }
    let machine = MachineIdentity(high: try reader.read(), low: try reader.read())
    let bytes = try reader.read(UInt64.self)
    guard bytes > 0 else { throw .invalid("reservation", 0) }
    let owner = try process(&reader)
    let heir = try process(&reader)
    let nodes = try nodes(first: node, bits: try reader.read())
    return LedgerRecord(
      vm: vm, machine: machine, bytes: bytes, nodes: nodes, owner: owner, heir: hasHeir ? heir : nil)
  }

  private static func process(_ reader: inout ByteReader) throws(StateError) -> ProcessIdentity {
    ProcessIdentity(
      pid: Int32(truncatingIfNeeded: try reader.read(Int64.self)), startTime: try reader.read(),
      bootID: BootID(high: try reader.read(), low: try reader.read()))
  }
}
