package import FSRState
package import FSRSystem

/// How the threads of harts are scheduled that somebody has scheduled otherwise than their VMM: as it goes to the next VMM,
/// which may do without.
package struct VCPUStandings: Equatable, Sendable {
  /// The static section of a manifest that has them; only where there are some.
  static let section = "threads"
  static let sectionVersion: UInt16 = 1

  /// By hart.
  package var byHart: [Int: ThreadStanding]

  package init(_ byHart: [Int: ThreadStanding] = [:]) { self.byHart = byHart }

  package var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt16(byHart.count))
    for (hart, standing) in byHart.sorted(by: { $0.key < $1.key }) {
      writer.write(UInt16(hart))
      writer.write(standing.policy)
      writer.write(standing.flags)
      writer.write(UInt32(bitPattern: standing.nice))
      writer.write(standing.priority)
      for time in [standing.runtime, standing.deadline, standing.period] { writer.write(time) }
      let cpus = standing.cpus.cpus
      writer.write(UInt16(cpus.count))
      for cpu in cpus { writer.write(UInt16(cpu)) }
    }
    return writer.bytes
  }

  /// - Throws: `StateError` for what no thread of a guest with as many harts can have.
  package init(decoding bytes: [UInt8], harts: Int) throws(StateError) {
    var reader = ByteReader(bytes)
    let count = Int(try reader.read(UInt16.self))
    guard count <= harts else { throw .tooLong(count, limit: harts) }
    byHart = [:]
    for _ in 0..<count {
      let hart = Int(try reader.read(UInt16.self))
      guard hart < harts, byHart[hart] == nil else { throw .invalid("hart of a thread", UInt64(hart)) }
      byHart[hart] = try Self.standing(&reader)
    }
    try reader.finish()
  }

  private static func standing(_ reader: inout ByteReader) throws(StateError) -> ThreadStanding {
    var standing = ThreadStanding(cpus: CPUSet())
    standing.policy = try reader.read()
    standing.flags = try reader.read()
    standing.nice = Int32(bitPattern: try reader.read(UInt32.self))
    standing.priority = try reader.read()
    standing.runtime = try reader.read()
    standing.deadline = try reader.read()
    standing.period = try reader.read()
    for _ in 0..<(try reader.read(UInt16.self)) {
      let cpu = Int(try reader.read(UInt16.self))
      guard cpu < CPUSet.limit else { throw .invalid("processor of a thread", UInt64(cpu)) }
      standing.cpus.insert(cpu)
    }
    guard !standing.cpus.isEmpty else { throw .invalid("processors of a thread", 0) }
    return standing
  }
}
