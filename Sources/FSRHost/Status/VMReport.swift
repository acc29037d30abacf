/// What a VMM says of its VM: what the VM is, how it is, which process runs it, and in facets how its parts fare.
public struct VMReport: Equatable, Sendable {
  /// What the reference VMM calls itself.
  public static let referenceKind = "reference"

  /// What a VM is, for as long as it lives.
  public struct Facts: Equatable, Sendable {
    public var name: String
    /// Which kind of VMM it has; empty where nobody says, as builds that know one kind do not.
    public var kind = ""
    /// What its VMM can be asked for; all of it where a VMM of an older build answers.
    public var verbs: Set<ControlVerb> = []
    public var memoryBytes: UInt64 = 0
    /// Bytes that the host promises to keep resident.
    public var reservedBytes: UInt64 = 0
    /// The path of the log.
    public var log = ""
  }

  /// The process that runs it.
  public struct Runner: Equatable, Sendable {
    /// Of the VM: how many VMMs it has had, this one included.
    public var generation: UInt64 = 0
    public var pid: Int32 = 0
    public var binary = ""
    public var build = ""
  }

  /// How its parts fare. One that it does not have says nothing.
  public struct Facets: Equatable, Sendable {
    public var vcpus = VCPUs()
    /// How many vCPUs ran, over 1, 5 and 15 minutes; empty where nobody says.
    public var load: [Double] = []
    /// Nil where all of RAM may be resident.
    public var paging: Paging?
    /// Where RAM lies, of a VM that was confined to some of the host's memory nodes.
    public var placement: MemoryPlacement?
    public var console = Console()
    public var nics: [NIC] = []
    /// Nil where the guest is not the soak guest, or nobody answers for it.
    public var guest: Guest?
    /// The first moments of the guest in its VMM, earliest first; none where it was born there.
    public var arrival: [Arrival] = []
  }

  public var facts: Facts
  public var state: VMState
  public var runner = Runner()
  /// Pages of RAM that are in memory.
  public var residentPages: UInt64 = 0
  public var facets = Facets()

  public init(name: String, state: VMState) {
    facts = Facts(name: name)
    self.state = state
  }
}
