internal import FSRClient

/// The answer of `fsr ledger`.
package struct LedgerAnswer: Answer {
  struct Record: Codable, Equatable, Sendable {
    var vm: String
    var bytes: UInt64
    /// The first of them.
    var node: Int
    var nodes: [Int]
    var owner: Int32
    @Nullable var heir: Int32?
    var alive: Bool
  }

  struct Node: Codable, Equatable, Sendable {
    var node: Int
    var capacity: UInt64
    var reserved: UInt64
  }

  @Nullable var capacity: UInt64?
  @Nullable var reserved: UInt64?
  var nodes: [Node] = []
  var records: [Record] = []
  @Nullable var reason: String?

  init(reason: String) { self.reason = reason }

  init(_ ledger: HostLedger) {
    capacity = ledger.capacity
    reserved = ledger.reserved
    nodes = ledger.nodes.map { Node(node: $0.number, capacity: $0.capacity, reserved: $0.reserved) }
    records = ledger.records.map {
      Record(
        vm: $0.vm, bytes: $0.bytes, node: $0.nodes.first ?? 0, nodes: $0.nodes, owner: $0.owner,
        heir: $0.heir, alive: $0.isAlive)
    }
  }

  /// For people: the sum, and a row for each VM.
  var lines: [String] {
    let sum = "\(ByteSize.readable(reserved ?? 0)) of \(ByteSize.readable(capacity ?? 0)) reserved"
    var lines = [sum] + (reason.map { [$0] } ?? [])
    if nodes.count > 1 {
      lines += nodes.map {
        "node \($0.node): \(ByteSize.readable($0.reserved)) of \(ByteSize.readable($0.capacity))"
      }
    }
    if records.isEmpty { return lines }
    var table = TextTable([
      ("VM", .left), ("RESERVED", .right), ("NODE", .right), ("OWNER", .right), ("HEIR", .right),
      ("ALIVE", .left),
    ])
    for record in records {
      table.add([
        record.vm, ByteSize.readable(record.bytes), record.nodes.map(String.init).joined(separator: ","),
        "\(record.owner)",
        record.heir.map { "\($0)" } ?? "-", record.alive ? "yes" : "no",
      ])
    }
    lines += table.lines
    return lines
  }
}
