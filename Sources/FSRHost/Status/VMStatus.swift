package import FSRState
internal import FSRSystem

/// What `fsr status` answers: from the VMM itself, or from the control block while nobody answers.
public struct VMStatus: Equatable, Sendable {
  public enum State: String, CaseIterable, Sendable {
    case starting, running, paused, handoff, stunned, lost
    /// The guest has asked for a reset, and is being started anew.
    case reset
    /// The guest has ended itself, and its last words are being written.
    case ending

    /// The word for it that builds know which have none for `reset` and `ending`.
    var oldWord: State {
      switch self {
      case .starting, .running, .paused, .handoff, .stunned, .lost: self
      case .reset, .ending: .running
      }
    }
  }

  public struct VCPU: Equatable, Sendable {
    public var id: Int
    public var instructions: UInt64

    public init(id: Int, instructions: UInt64) {
      self.id = id
      self.instructions = instructions
    }
  }

  /// Of a vCPU, since the VM's birth.
  public struct Time: Equatable, Sendable {
    /// In the guest, by the host's clock.
    public var nanoseconds: UInt64
    /// How often it came out of the guest.
    public var exits: UInt64

    public init(nanoseconds: UInt64, exits: UInt64) {
      self.nanoseconds = nanoseconds
      self.exits = exits
    }
  }

  public struct Guest: Equatable, Sendable {
    public var ticks: UInt64
    public var passes: UInt64
    public var errors: UInt64
    public var maxGapMicroseconds: UInt64

    public init(ticks: UInt64, passes: UInt64, errors: UInt64, maxGapMicroseconds: UInt64) {
      self.ticks = ticks
      self.passes = passes
      self.errors = errors
      self.maxGapMicroseconds = maxGapMicroseconds
    }
  }

  /// What was executed since the guest came to its VMM, soon after that.
  public struct Arrival: Equatable, Sendable {
    /// Since the first vCPU entered the guest there.
    public var nanoseconds: UInt64
    /// Of all vCPUs.
    public var instructions: UInt64

    public init(nanoseconds: UInt64, instructions: UInt64) {
      self.nanoseconds = nanoseconds
      self.instructions = instructions
    }
  }

  /// How a guest fares that is larger than its memory.
  public struct Paging: Equatable, Sendable {
    /// Bytes.
    public var residentLimit: UInt64 = 0
    public var compression: UInt64 = 0
    public var residentPages: UInt64 = 0
    public var compressedPages: UInt64 = 0
    public var swappedPages: UInt64 = 0
    public var swapPath = ""
    public var slots: UInt64 = 0
    public var usedSlots: UInt64 = 0
    /// Since the guest came to its VMM, as all that follows: of pages that were only not mapped.
    public var minorFaults: UInt64 = 0
    /// Of pages that had to be brought in.
    public var missingFaults: UInt64 = 0
    public var evictions: UInt64 = 0
    /// Since it was asked last, or since the guest came.
    public var evictionsPerSecond: UInt64 = 0
    /// The same of faults of both kinds.
    public var faultsPerSecond: UInt64 = 0
    /// Operations that failed, of the swap file and of the host's memory, also those that were tried again with success.
    public var failures: UInt64 = 0
    public var readAhead: UInt64 = 0
    /// Nanoseconds that a fault took: the 50th, 90th and 99th percentile, and the longest.
    public var waits: [UInt64] = []
    /// Why nothing can be written or read; empty where all is well.
    public var trouble = ""

    public init() {}
  }

  public var name: String
  public var state: State
  /// What the reference VMM calls itself.
  public static let referenceKind = "reference"
  /// Which kind of VMM it has; empty where nobody says, as builds that know one kind do not.
  public var kind = ""
  /// What its VMM can be asked for; all of it where a VMM of an older build answers.
  public var verbs: Set<ControlVerb> = []
  public var generation: UInt64 = 0
  public var pid: Int32 = 0
  public var binary = ""
  public var build = ""
  public var memoryBytes: UInt64 = 0
  public var residentPages: UInt64 = 0
  /// Bytes that the host promises to keep resident.
  public var reservedBytes: UInt64 = 0
  /// Who the ledger says holds them; 0 where it says nothing.
  public var reservationOwner: Int32 = 0
  /// Nil where all of RAM may be resident.
  public var paging: Paging?
  /// Where RAM lies, of a VM that was confined to some of the host's memory nodes.
  public var placement: MemoryPlacement?
  public var consolePath = ""
  public var droppedBytes: UInt64 = 0
  public var vcpus: [VCPU] = []
  /// One for each of `vcpus`; none where nobody says.
  public var times: [Time] = []
  /// How many vCPUs ran, over 1, 5 and 15 minutes; empty where nobody says.
  public var loadAverages: [Double] = []
  public var ports: [NIC] = []
  /// When the vCPUs' instructions were read, in nanoseconds on the monotonic clock; 0 where nobody says.
  public var countedAt: UInt64 = 0
  /// The first moments of the guest in its VMM, earliest first; none where it was born there.
  public var arrival: [Arrival] = []
  /// Nil where the guest is not the soak guest, or nobody answers for it.
  public var guest: Guest?
  public var log = ""
  /// Why its owner does not answer, where it should; a client's own finding, empty where it answers.
  public var silence = ""
  /// Whether the VMM itself has answered: the numbers then are its own.
  public var isAnswered = false

  public init(name: String, state: State) {
    self.name = name
    self.state = state
  }

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
    fields.put(Tag.name, name)
    fields.put(Tag.state, state.oldWord.rawValue)
    if state.oldWord != state { fields.put(Tag.laterState, state.rawValue) }
    fields.put(Tag.generation, generation)
    fields.put(Tag.pid, pid)
    fields.put(Tag.binary, binary)
    fields.put(Tag.build, build)
    fields.put(Tag.memory, memoryBytes)
    fields.put(Tag.resident, residentPages)
    fields.put(Tag.console, consolePath)
    fields.put(Tag.dropped, droppedBytes)
    fields.put(Tag.vcpus, list: vcpus) { vcpu, writer in
      writer.write(UInt32(vcpu.id))
      writer.write(vcpu.instructions)
    }
    fields.put(Tag.guest, list: guest.map { [$0] } ?? []) { guest, writer in
      for value in [guest.ticks, guest.passes, guest.errors, guest.maxGapMicroseconds] { writer.write(value) }
    }
    fields.put(Tag.log, log)
    fields.put(Tag.reserved, reservedBytes)
    if let paging { fields.put(Tag.paging, paging.encoded) }
    fields.put(Tag.countedAt, countedAt)
    fields.put(Tag.arrival, list: arrival) { sample, writer in
      writer.write(sample.nanoseconds)
      writer.write(sample.instructions)
    }
    fields.put(Tag.times, list: times) { time, writer in
      writer.write(time.nanoseconds)
      writer.write(time.exits)
    }
    fields.put(Tag.load, list: loadAverages) { average, writer in writer.write(average.bitPattern) }
    fields.put(Tag.ports, list: ports) { port, writer in port.write(to: &writer) }
    fields.put(Tag.portTroubles, list: ports) { port, writer in writer.write(port.trouble) }
    if let placement {
      fields.put(Tag.nodes, placement.nodes.description)
      fields.put(Tag.policy, placement.policy)
    }
    if !kind.isEmpty {
      fields.put(Tag.kind, kind)
      fields.put(Tag.verbs, list: verbs.map(\.rawValue).sorted()) { verb, writer in writer.write(verb) }
    }
    return fields.bytes
  }

  package init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    let word = try fields.string(Tag.state, limit: 32)
    guard let state = State(rawValue: word) else { throw .invalid("state", 0) }
    self.init(name: try fields.string(Tag.name, limit: Manifest.nameLimit), state: state)
    // A word of a later build says less than the one beside it.
    if fields.bytes(Tag.laterState) != nil,
      let later = State(rawValue: try fields.string(Tag.laterState, limit: 32))
    {
      self.state = later
    }
    generation = try fields.integer(Tag.generation)
    pid = try fields.integer(Tag.pid)
    binary = try fields.string(Tag.binary, limit: Manifest.textLimit)
    build = try fields.string(Tag.build, limit: 128)
    memoryBytes = try fields.integer(Tag.memory)
    residentPages = try fields.integer(Tag.resident)
    // A VMM without a console says nothing of it.
    if fields.bytes(Tag.console) != nil {
      consolePath = try fields.string(Tag.console, limit: Manifest.textLimit)
    }
    if fields.bytes(Tag.dropped) != nil { droppedBytes = try fields.integer(Tag.dropped) }
    vcpus = try fields.list(Tag.vcpus, limit: VMConfiguration.vcpuLimit) { reader throws(StateError) in
      VCPU(id: Int(try reader.read(UInt32.self)), instructions: try reader.read())
    }
    guest = try fields.list(Tag.guest, limit: 1) { reader throws(StateError) in
      Guest(
        ticks: try reader.read(), passes: try reader.read(), errors: try reader.read(),
        maxGapMicroseconds: try reader.read())
    }.first
    log = try fields.string(Tag.log, limit: Manifest.textLimit)
    // An older VMM says nothing of these.
    if fields.bytes(Tag.reserved) != nil { reservedBytes = try fields.integer(Tag.reserved) }
    paging = try fields.bytes(Tag.paging).map { bytes throws(StateError) in try Paging(decoding: bytes) }
    if fields.bytes(Tag.countedAt) != nil { countedAt = try fields.integer(Tag.countedAt) }
    if fields.bytes(Tag.arrival) != nil {
      arrival = try fields.list(Tag.arrival, limit: Self.arrivalLimit) { reader throws(StateError) in
        Arrival(nanoseconds: try reader.read(), instructions: try reader.read())
      }
    }
    times = try fields.list(Tag.times, limit: VMConfiguration.vcpuLimit) { reader throws(StateError) in
      Time(nanoseconds: try reader.read(), exits: try reader.read())
    }
    loadAverages = try fields.list(Tag.load, limit: Self.loadAverageCount) { reader throws(StateError) in
      let average = Double(bitPattern: try reader.read())
      guard (0...Double(VMConfiguration.vcpuLimit * 2)).contains(average) else {
        throw .invalid("load average", average.bitPattern)
      }
      return average
    }
    ports = try fields.list(Tag.ports, limit: TapPort.limit) { reader throws(StateError) in
      try NIC(from: &reader)
    }
    let troubles = try fields.list(Tag.portTroubles, limit: TapPort.limit) { reader throws(StateError) in
      try reader.readString(limit: Manifest.textLimit)
    }
    for (index, trouble) in troubles.enumerated() where index < ports.count { ports[index].trouble = trouble }
    if fields.bytes(Tag.nodes) != nil {
      guard let nodes = NodeSet(parsing: try fields.string(Tag.nodes, limit: NodeSet.textLimit)) else {
        throw .invalid("set of memory nodes", 0)
      }
      placement = MemoryPlacement(nodes: nodes, policy: try fields.string(Tag.policy, limit: 32))
    }
    if fields.bytes(Tag.kind) != nil { kind = try fields.string(Tag.kind, limit: Manifest.nameLimit) }
    verbs = try Self.verbs(in: fields)
    isAnswered = true
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
