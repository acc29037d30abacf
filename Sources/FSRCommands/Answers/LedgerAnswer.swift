internal import FSRReference

/// The answer of `fsr ledger`.
package struct LedgerAnswer: Answer {
  struct Record: Codable, Equatable, Sendable {
    var vm: String
    var bytes: UInt64
    var node: Int
    var owner: Int32
    @Nullable var heir: Int32?
    var alive: Bool
  }

  @Nullable var capacity: UInt64?
  @Nullable var reserved: UInt64?
  var records: [Record] = []
  @Nullable var reason: String?

  init(reason: String) { self.reason = reason }

  init(_ ledger: HostLedger) {
    capacity = ledger.capacity
    reserved = ledger.reserved
    records = ledger.records.map {
      Record(
        vm: $0.vm, bytes: $0.bytes, node: $0.node, owner: $0.owner, heir: $0.heir, alive: $0.isAlive)
    }
  }

  /// For people: the sum, and a row for each VM.
  var lines: [String] {
    let sum = "\(ByteSize.readable(reserved ?? 0)) of \(ByteSize.readable(capacity ?? 0)) reserved"
    var lines = [sum] + (reason.map { [$0] } ?? [])
    if records.isEmpty { return lines }
    var table = TextTable([
      ("VM", .left), ("RESERVED", .right), ("NODE", .right), ("OWNER", .right), ("HEIR", .right),
      ("ALIVE", .left),
    ])
    for record in records {
      table.add([
        record.vm, ByteSize.readable(record.bytes), "\(record.node)", "\(record.owner)",
        record.heir.map { "\($0)" } ?? "-", record.alive ? "yes" : "no",
      ])
    }
    lines += table.lines
    return lines
  }
}
