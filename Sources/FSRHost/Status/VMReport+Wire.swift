package import FSRState
internal import FSRSystem

/// A report as it is sent: fields, of which a reader skips those that it does not know.
extension VMReport {
  private static let arrivalLimit = 16
  private static let verbLimit = 256
  /// Over 1, 5 and 15 minutes.
  private static let loadAverageCount = 3

  private enum Tag {
    static let name: UInt16 = 1
    static let state: UInt16 = 2
    static let generation: UInt16 = 3
    static let pid: UInt16 = 4
    static let binary: UInt16 = 5
    static let build: UInt16 = 6
    static let memory: UInt16 = 7
    static let resident: UInt16 = 8
    static let console: UInt16 = 9
    static let dropped: UInt16 = 10
    static let vcpus: UInt16 = 11
    static let guest: UInt16 = 12
    static let log: UInt16 = 13
    static let countedAt: UInt16 = 20
    static let arrival: UInt16 = 21
    static let reserved: UInt16 = 30
    static let times: UInt16 = 40
    static let load: UInt16 = 41
    static let ports: UInt16 = 42
    static let portTroubles: UInt16 = 43
    static let nodes: UInt16 = 50
    static let policy: UInt16 = 51
    static let paging: UInt16 = 60
    /// The state, where older builds have no word for it.
    static let laterState: UInt16 = 70
    static let kind: UInt16 = 71
    static let verbs: UInt16 = 72
  }

  package var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.name, facts.name)
    fields.put(Tag.state, state.oldWord.rawValue)
    if state.oldWord != state { fields.put(Tag.laterState, state.rawValue) }
    fields.put(Tag.generation, runner.generation)
    fields.put(Tag.pid, runner.pid)
    fields.put(Tag.binary, runner.binary)
    fields.put(Tag.build, runner.build)
    fields.put(Tag.memory, facts.memoryBytes)
    fields.put(Tag.resident, residentPages)
    fields.put(Tag.console, facets.console.path)
    fields.put(Tag.dropped, facets.console.droppedBytes)
    fields.put(Tag.vcpus, list: facets.vcpus.counts) { vcpu, writer in
      writer.write(UInt32(vcpu.id))
      writer.write(vcpu.instructions)
    }
    fields.put(Tag.guest, list: facets.guest.map { [$0] } ?? []) { guest, writer in
      for value in [guest.ticks, guest.passes, guest.errors, guest.maxGapMicroseconds] { writer.write(value) }
    }
    fields.put(Tag.log, facts.log)
    fields.put(Tag.reserved, facts.reservedBytes)
    if let paging = facets.paging { fields.put(Tag.paging, paging.encoded) }
    fields.put(Tag.countedAt, facets.vcpus.countedAt)
    fields.put(Tag.arrival, list: facets.arrival) { sample, writer in
      writer.write(sample.nanoseconds)
      writer.write(sample.instructions)
    }
    fields.put(Tag.times, list: facets.vcpus.times) { time, writer in
      writer.write(time.nanoseconds)
      writer.write(time.exits)
    }
    fields.put(Tag.load, list: facets.load) { average, writer in writer.write(average.bitPattern) }
    fields.put(Tag.ports, list: facets.nics) { port, writer in port.write(to: &writer) }
    fields.put(Tag.portTroubles, list: facets.nics) { port, writer in writer.write(port.trouble) }
    if let placement = facets.placement {
      fields.put(Tag.nodes, placement.nodes.description)
      fields.put(Tag.policy, placement.policy)
    }
    if !facts.kind.isEmpty {
      fields.put(Tag.kind, facts.kind)
      fields.put(Tag.verbs, list: facts.verbs.map(\.rawValue).sorted()) { verb, writer in writer.write(verb) }
    }
    return fields.bytes
  }

  package init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    let word = try fields.string(Tag.state, limit: 32)
    guard let state = VMState(rawValue: word) else { throw .invalid("state", 0) }
    self.init(name: try fields.string(Tag.name, limit: Manifest.nameLimit), state: state)
    // A word of a later build says less than the one beside it.
    if fields.bytes(Tag.laterState) != nil,
      let later = VMState(rawValue: try fields.string(Tag.laterState, limit: 32))
    {
      self.state = later
    }
    runner.generation = try fields.integer(Tag.generation)
    runner.pid = try fields.integer(Tag.pid)
    runner.binary = try fields.string(Tag.binary, limit: Manifest.textLimit)
    runner.build = try fields.string(Tag.build, limit: 128)
    facts.memoryBytes = try fields.integer(Tag.memory)
    residentPages = try fields.integer(Tag.resident)
    // A VMM without a console says nothing of it.
    if fields.bytes(Tag.console) != nil {
      facets.console.path = try fields.string(Tag.console, limit: Manifest.textLimit)
    }
    if fields.bytes(Tag.dropped) != nil { facets.console.droppedBytes = try fields.integer(Tag.dropped) }
    facets.vcpus.counts = try fields.list(Tag.vcpus, limit: VMConfiguration.vcpuLimit) {
      reader throws(StateError) in
      VCPU(id: Int(try reader.read(UInt32.self)), instructions: try reader.read())
    }
    facets.guest = try fields.list(Tag.guest, limit: 1) { reader throws(StateError) in
      Guest(
        ticks: try reader.read(), passes: try reader.read(), errors: try reader.read(),
        maxGapMicroseconds: try reader.read())
    }.first
    facts.log = try fields.string(Tag.log, limit: Manifest.textLimit)
    // An older VMM says nothing of these.
    if fields.bytes(Tag.reserved) != nil { facts.reservedBytes = try fields.integer(Tag.reserved) }
    facets.paging = try fields.bytes(Tag.paging).map { bytes throws(StateError) in try Paging(decoding: bytes)
    }
    if fields.bytes(Tag.countedAt) != nil { facets.vcpus.countedAt = try fields.integer(Tag.countedAt) }
    if fields.bytes(Tag.arrival) != nil {
      facets.arrival = try fields.list(Tag.arrival, limit: Self.arrivalLimit) { reader throws(StateError) in
        Arrival(nanoseconds: try reader.read(), instructions: try reader.read())
      }
    }
    facets.vcpus.times = try fields.list(Tag.times, limit: VMConfiguration.vcpuLimit) {
      reader throws(StateError) in
      Time(nanoseconds: try reader.read(), exits: try reader.read())
    }
    facets.load = try fields.list(Tag.load, limit: Self.loadAverageCount) { reader throws(StateError) in
      let average = Double(bitPattern: try reader.read())
      guard (0...Double(VMConfiguration.vcpuLimit * 2)).contains(average) else {
        throw .invalid("load average", average.bitPattern)
      }
      return average
    }
    facets.nics = try fields.list(Tag.ports, limit: TapPort.limit) { reader throws(StateError) in
      try NIC(from: &reader)
    }
    let troubles = try fields.list(Tag.portTroubles, limit: TapPort.limit) { reader throws(StateError) in
      try reader.readString(limit: Manifest.textLimit)
    }
    for (index, trouble) in troubles.enumerated() where index < facets.nics.count {
      facets.nics[index].trouble = trouble
    }
    if fields.bytes(Tag.nodes) != nil {
      guard let nodes = NodeSet(parsing: try fields.string(Tag.nodes, limit: NodeSet.textLimit)) else {
        throw .invalid("set of memory nodes", 0)
      }
      facets.placement = MemoryPlacement(nodes: nodes, policy: try fields.string(Tag.policy, limit: 32))
    }
    if fields.bytes(Tag.kind) != nil { facts.kind = try fields.string(Tag.kind, limit: Manifest.nameLimit) }
    facts.verbs = try Self.verbs(in: fields)
  }

  /// A verb of a later build is nothing that this one asks for.
  private static func verbs(in fields: borrowing FieldReader) throws(StateError) -> Set<ControlVerb> {
    guard fields.bytes(Tag.verbs) != nil else { return Set(ControlVerb.allCases) }
    let numbers = try fields.list(Tag.verbs, limit: verbLimit) { reader throws(StateError) in
      try reader.read(UInt16.self)
    }
    return Set(numbers.compactMap(ControlVerb.init(rawValue:)))
  }
}
