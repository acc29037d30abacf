package import FSRState
package import FSRSystem

/// How the threads of vCPUs are scheduled that somebody has scheduled otherwise than their VMM: as it goes to the next VMM,
/// which may do without.
package struct VCPUStandings: Equatable, Sendable {
  /// The static section of a manifest that has them; only where there are some.
  static let section = "threads"
  static let sectionVersion: UInt16 = 1

  /// By vCPU.
  package var byVCPU: [Int: ThreadStanding]

  package init(_ byVCPU: [Int: ThreadStanding] = [:]) { self.byVCPU = byVCPU }

  package var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt16(byVCPU.count))
    for (vcpu, standing) in byVCPU.sorted(by: { $0.key < $1.key }) {
      writer.write(UInt16(vcpu))
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

  /// - Throws: `StateError` for what no thread of a guest with as many vCPUs can have.
  package init(decoding bytes: [UInt8], vcpus: Int) throws(StateError) {
    var reader = ByteReader(bytes)
    let count = Int(try reader.read(UInt16.self))
    guard count <= vcpus else { throw .tooLong(count, limit: vcpus) }
    byVCPU = [:]
    for _ in 0..<count {
      let vcpu = Int(try reader.read(UInt16.self))
      guard vcpu < vcpus, byVCPU[vcpu] == nil else { throw .invalid("vCPU of a thread", UInt64(vcpu)) }
      byVCPU[vcpu] = try Self.standing(&reader)
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
