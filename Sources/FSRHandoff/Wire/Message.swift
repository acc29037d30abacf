internal import FSRState
public import FSRSystem

/// What the parties say to each other while a handoff is set up; the switch itself needs no message.
///
/// One message is one packet of a SOCK_SEQPACKET socket: kind (16 bits), then tagged fields (`Fields`).
/// Descriptors ride beside the bytes. A kind or a needed field that is not known ends the handoff.
public enum Message: Equatable, Sendable {
  /// Coordinator to source, with the block: hand the guest over, by a plan.
  case request(HandoffRequest)
  /// Source to coordinator: the block has its name, the handoff goes on.
  case accepted
  /// Source to coordinator, or destination to source: no, and why.
  case refused(Reason)
  /// Source to destination, or coordinator to successor, with the block and the folder of blocks.
  case hello(Hello)
  /// Destination's answer: what it can do.
  case agreed(Agreement)
  /// Source to destination and to coordinator, coordinator to successor: the descriptors manifest,
  /// checkpoint, and the manifest's slots.
  case manifest
  /// Destination to source: it can run the guest as soon as it is told to.
  case prepared
  /// Coordinator to source: it holds its copies.
  case holding

  /// What it is, for a message about it.
  var name: String {
    switch self {
    case .request: "request"
    case .accepted: "accepted"
    case .refused(let reason): "refused (\(reason))"
    case .hello: "hello"
    case .agreed: "agreed"
    case .manifest: "manifest"
    case .prepared: "prepared"
    case .holding: "holding"
    }
  }

  static let reasonLimit = 1024
}

/// The protocol versions this build speaks.
public enum HandoffProtocol {
  public static let versions: ClosedRange<UInt16> = 1...2
  /// The first in which a source understands a `HandoffPlan`.
  static let plans: UInt16 = 2
}

/// A section that a build writes or reads, and in which version.
public struct SectionVersion: Equatable, Sendable {
  public let name: String
  public let version: UInt16
  /// Whether a destination that does not know it must refuse; another one it keeps, and passes on.
  public let isNeeded: Bool

  public init(name: String, version: UInt16, isNeeded: Bool = true) {
    self.name = name
    self.version = version
    self.isNeeded = isNeeded
  }

  static let limit = 256
}

public struct HandoffRequest: Equatable, Sendable {
  public var versions: ClosedRange<UInt16> = HandoffProtocol.versions
  /// The destination's executable; empty for the source's own.
  public var executable: String
  /// A fault to commit on purpose; empty for none.
  public var fault: String
  /// The plan, as it travels: what is unknown of it is refused when it is read.
  public var axes: [PlanAxis]

  public init(executable: String = "", fault: String = "", plan: HandoffPlan = HandoffPlan()) {
    self.executable = executable
    self.fault = fault
    axes = plan.axes
  }

  /// - Throws: `HandoffError` `refused` where this build does not know a needed part of it.
  public var plan: HandoffPlan { get throws(HandoffError) { try HandoffPlan(axes) } }
}

public struct Hello: Equatable, Sendable {
  public var versions: ClosedRange<UInt16> = HandoffProtocol.versions
  /// Whether the block starts at `destVerify`, with a complete checkpoint.
  public var isSuccessor: Bool
  /// Every section that the checkpoint will have.
  public var sections: [SectionVersion]
  /// The sender's build; empty from a coordinator, which is no VMM.
  public var build: String
  public var fault: String

  public init(isSuccessor: Bool, sections: [SectionVersion], build: String, fault: String = "") {
    self.isSuccessor = isSuccessor
    self.sections = sections
    self.build = build
    self.fault = fault
  }
}

public struct Agreement: Equatable, Sendable {
  public var version: UInt16
  public var build: String

  public init(version: UInt16, build: String) {
    self.version = version
    self.build = build
  }
}
