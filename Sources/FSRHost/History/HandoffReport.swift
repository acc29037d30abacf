public import FSRHandoff
public import FSRSystem

/// What a handoff came to, read from its control block.
public struct HandoffReport: Sendable {
  public struct Phase: Codable, Equatable, Sendable {
    public let name: String
    /// Microseconds since the request.
    public let start: UInt64
    /// Microseconds.
    public let duration: UInt64

    private enum CodingKeys: String, CodingKey {
      case name
      case start = "start_us"
      case duration = "duration_us"
    }

    var json: JSONObject {
      var object = JSONObject()
      object.put(CodingKeys.name.rawValue, name)
      object.put(CodingKeys.start.rawValue, start)
      object.put(CodingKeys.duration.rawValue, duration)
      return object
    }
  }

  public let vm: String
  /// The VM's identity and the attempt: no two handoffs share it.
  public let handoffID: String
  /// `source`, `destination`, `successor` or `none`.
  public let victor: String
  public let generation: UInt64
  /// From the last vCPU leaving the guest to the first one entering it; nil where it never stopped.
  public let downtimeMicroseconds: UInt64?
  public let downtimeNanoseconds: UInt64?
  public let totalMilliseconds: UInt64
  public let guestMaxGapMicroseconds: UInt64?
  public let phases: [Phase]
  /// Of swap files; memory is shared.
  public let copiedBytes: UInt64
  /// Why the guest is where it was; nil where it is not, or nobody has said it.
  public let reason: Reason?
  /// The reason in words.
  public var why: String? { reason?.description }

  /// Why a handoff is called off by the end of the VM, or of its guest.
  public static let vmStops = Reason("the VM was told to stop", code: .stopping)
  package static let guestEnds = Reason("the guest has ended itself", code: .guestEnded)

  /// Whether it was called off because the VM, or its guest, came to its end: the source runs no longer, or not for long.
  public var endsWithVM: Bool { reason?.code.map(Self.isEndOfVM) ?? false }

  /// Whether `code` says that the VM, or its guest, came to its end.
  public static func isEndOfVM(_ code: ReasonCode) -> Bool { code == .stopping || code == .guestEnded }

  /// - Parameter reason: why it ended so, where the block does not know.
  public init(of block: ControlBlock, vm: String, reason: Reason? = nil) {
    self.vm = vm
    handoffID = "\(block.machine)-\(block.attempt)"
    // A VM's first block has no source either, and its VMM no predecessor.
    let isSuccessor = block.identity(of: .source) == nil && block.generation > 0
    switch block.state {
    case .resumed: victor = "source"
    case .destination: victor = isSuccessor ? "successor" : "destination"
    // Called off before the source took it up: it never stopped owning the guest.
    case .source where block.time(of: .requested) == 0: victor = "source"
    case .none, .destVerify, .source, .successor: victor = "none"
    }
    generation = block.generation + (block.state == .destination ? 1 : 0)
    let left = block.time(of: .left)
    let entered = block.time(of: .entered)
    downtimeNanoseconds = left != 0 && entered > left ? entered - left : nil
    downtimeMicroseconds = downtimeNanoseconds.map { $0 / 1000 + ($0 % 1000 + 500) / 1000 }
    let start = block.time(of: .requested)
    let times = TimelineMark.allCases.map { block.time(of: $0) }
    totalMilliseconds = start == 0 ? 0 : ((times.max() ?? start) - start) / 1_000_000
    guestMaxGapMicroseconds = block.guestGap
    phases = Self.phases(of: block)
    copiedBytes = block.copiedBytes
    let said = [Party.source, .destination, .coordinator].lazy.compactMap { block.reason(of: $0) }
    self.reason = block.state == .destination ? nil : reason ?? said.first
  }

  /// The design's phases, as the stretches between two marks that have both passed.
  private static func phases(of block: ControlBlock) -> [Phase] {
    let start = block.time(of: .requested)
    return HandoffPhase.all.compactMap { stretch in
      guard let (begin, end) = stretch.times(in: block) else { return nil }
      return Phase(name: stretch.name, start: (begin &- start) / 1000, duration: (end - begin) / 1000)
    }
  }
}
