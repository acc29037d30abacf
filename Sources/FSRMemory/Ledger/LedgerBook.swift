public import FSRState
public import FSRSystem

/// What a ledger says, as a value: every VM's reservation, and how much there may be. No file, no clock, no process.
///
/// A handoff changes who is named in a record, and never how many bytes it is of: there is one record throughout,
/// so the sum before, during and after is the same, also where all of the capacity is reserved.
public struct LedgerBook: Equatable, Sendable {
  /// VMs with a reservation in one runtime folder.
  public static let recordLimit = 4096
  /// The highest number of a NUMA node.
  public static let nodeLimit = 1023

  /// What a person has set as the capacity of each node in bytes; nil where the node's own memory counts.
  public internal(set) var capacity: UInt64?
  /// At most one for each VM.
  public internal(set) var records: [LedgerRecord]
  /// How often the ledger was changed.
  public internal(set) var sequence: UInt64

  public init(capacity: UInt64? = nil, records: [LedgerRecord] = []) {
    self.capacity = capacity
    self.records = records
    sequence = 0
  }

  /// The record of the VM `vm`.
  public func record(of vm: String) -> LedgerRecord? { records.first { $0.vm == vm } }

  /// Bytes reserved on `node`; `UInt64.max` where they are more than a number holds.
  public func reserved(on node: Int = 0) -> UInt64 {
    records.reduce(0) { sum, record in
      let (next, overflow) = sum.addingReportingOverflow(record.share(on: node))
      return overflow ? .max : next
    }
  }

  // MARK: admission

  /// Admits a new VM's record.
  ///
  /// - Parameter memory: bytes of a node's memory, which count where no capacity is set.
  /// - Throws: `LedgerError` `taken` where the VM has a record, `full`, and `beyondCapacity` where the sum with it
  ///   would exceed the capacity.
  public mutating func admit(_ record: LedgerRecord, memory: (Int) -> UInt64) throws(LedgerError) {
    if let other = self.record(of: record.vm) { throw .taken(vm: other.vm, owner: other.owner.pid) }
    guard records.count < Self.recordLimit else { throw .full(limit: Self.recordLimit) }
    for node in record.nodes.nodes {
      let limit = capacity ?? memory(node)
      let (wanted, reserved) = (record.share(on: node), reserved(on: node))
      let (sum, overflow) = reserved.addingReportingOverflow(wanted)
      guard !overflow, sum <= limit else {
        throw .beyondCapacity(wanted: wanted, reserved: reserved, capacity: limit, node: node)
      }
    }
    records.append(record)
  }

  /// The same where every node has `memory` bytes.
  public mutating func admit(_ record: LedgerRecord, memory: UInt64) throws(LedgerError) {
    try admit(record) { _ in memory }
  }

  /// Sets the capacity of each node.
  ///
  /// - Throws: `LedgerError` `belowReserved` where more is promised already.
  public mutating func setCapacity(_ bytes: UInt64) throws(LedgerError) {
    let most = Set(records.flatMap(\.nodes.nodes)).map { reserved(on: $0) }.max() ?? 0
    guard most <= bytes else { throw .belowReserved(wanted: bytes, reserved: most) }
    capacity = bytes
  }

  // MARK: a handoff

  /// Writes `heir` beside `owner`, who holds the memory: from now on the record outlives either of them.
  ///
  /// - Throws: `LedgerError` `missing` where there is no such record, `taken` where it is another process's.
  public mutating func name(
    heir: ProcessIdentity, of vm: String, machine: MachineIdentity, by owner: ProcessIdentity
  )
    throws(LedgerError)
  {
    let index = try index(of: vm, machine)
    guard records[index].names(owner) else { throw .taken(vm: vm, owner: records[index].owner.pid) }
    records[index].owner = owner
    records[index].heir = heir
  }

  /// Writes `owner`, who by the resume word runs the guest, as the only one.
  ///
  /// - Throws: `LedgerError` `missing` where there is no such record.
  public mutating func settle(_ vm: String, machine: MachineIdentity, on owner: ProcessIdentity)
    throws(LedgerError)
  {
    let index = try index(of: vm, machine)
    records[index].owner = owner
    records[index].heir = nil
  }

  /// Counts the VM's bytes against `nodes`, which a build that knows of one node for each VM may have left out.
  public mutating func count(_ vm: String, machine: MachineIdentity, on nodes: NodeSet) throws(LedgerError) {
    records[try index(of: vm, machine)].nodes = nodes
  }

  private func index(of vm: String, _ machine: MachineIdentity) throws(LedgerError) -> Int {
    guard let index = records.firstIndex(where: { $0.vm == vm && $0.machine == machine }) else {
      throw .missing(vm: vm)
    }
    return index
  }

  // MARK: the end

  /// Removes the VM's record; false where there is none. Another machine of the same name keeps its own.
  @discardableResult
  public mutating func remove(_ vm: String, machine: MachineIdentity) -> Bool {
    let count = records.count
    records.removeAll { $0.vm == vm && $0.machine == machine }
    return records.count < count
  }

  /// Removes the records of which neither owner nor heir is alive, and that `isAbandoned` gives free; answers them.
  ///
  /// - Parameter isAbandoned: whether nobody else can come to run the VM; asked only where both are dead.
  @discardableResult
  public mutating func reclaim(
    isAlive: (ProcessIdentity) -> Bool, isAbandoned: (LedgerRecord) -> Bool
  ) -> [LedgerRecord] {
    var gone: [LedgerRecord] = []
    records.removeAll { record in
      if isAlive(record.owner) || record.heir.map(isAlive) == true { return false }
      guard isAbandoned(record) else { return false }
      gone.append(record)
      return true
    }
    return gone
  }
}
