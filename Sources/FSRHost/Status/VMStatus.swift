/// How a VM fares, as whoever asks for it finds: what its VMM says, or what the control block says while nobody answers;
/// and what that does not know.
public struct VMStatus: Equatable, Sendable {
  /// What the ledger says of the VM.
  public struct Reservation: Equatable, Sendable {
    public let bytes: UInt64
    /// The process that holds them.
    public let owner: Int32

    public init(bytes: UInt64, owner: Int32) {
      self.bytes = bytes
      self.owner = owner
    }
  }

  public var report: VMReport
  /// Whether the VMM itself has answered: the numbers then are its own.
  public let isAnswered: Bool
  /// Why its owner does not answer, where it should; empty where it answers.
  public var silence = ""
  /// Nil where the ledger says nothing.
  public var reservation: Reservation?

  /// - Parameter isAnswered: whether its VMM has said it.
  public init(_ report: VMReport, isAnswered: Bool) {
    self.report = report
    self.isAnswered = isAnswered
  }

  public var name: String { report.facts.name }
  public var state: VMState { report.state }
  public var generation: UInt64 { report.runner.generation }
  public var pid: Int32 { report.runner.pid }
  /// Bytes that the host promises to keep resident: by the ledger where that says something.
  public var reservedBytes: UInt64 { reservation?.bytes ?? report.facts.reservedBytes }
}
