/// What a VM's parts say of themselves.
extension VMReport {
  public struct VCPUs: Equatable, Sendable {
    public var counts: [VCPU] = []
    /// One for each of `counts`; none where nobody says.
    public var times: [Time] = []
    /// When the vCPUs' instructions were read, in nanoseconds on the monotonic clock; 0 where nobody says.
    public var countedAt: UInt64 = 0

    /// Of all vCPUs.
    public var instructions: UInt64 { counts.reduce(0) { $0 &+ $1.instructions } }
  }

  public struct VCPU: Equatable, Sendable {
    public let id: Int
    public let instructions: UInt64

    public init(id: Int, instructions: UInt64) {
      self.id = id
      self.instructions = instructions
    }
  }

  /// Of a vCPU, since the VM's birth.
  public struct Time: Equatable, Sendable {
    /// In the guest, by the host's clock.
    public let nanoseconds: UInt64
    /// How often it came out of the guest.
    public let exits: UInt64

    public init(nanoseconds: UInt64, exits: UInt64) {
      self.nanoseconds = nanoseconds
      self.exits = exits
    }
  }

  public struct Console: Equatable, Sendable {
    /// Where it is written to; empty where that is nowhere.
    public var path = ""
    public var droppedBytes: UInt64 = 0

    public init(path: String = "", droppedBytes: UInt64 = 0) {
      self.path = path
      self.droppedBytes = droppedBytes
    }
  }

  public struct Guest: Equatable, Sendable {
    public let ticks: UInt64
    public let passes: UInt64
    public let errors: UInt64
    public let maxGapMicroseconds: UInt64

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
    public let nanoseconds: UInt64
    /// Of all vCPUs.
    public let instructions: UInt64

    public init(nanoseconds: UInt64, instructions: UInt64) {
      self.nanoseconds = nanoseconds
      self.instructions = instructions
    }
  }
}
