/// How far the copying is that goes on while the guest runs.
public struct Precopy: Equatable, Sendable {
  public enum Stage: String, CaseIterable, Sendable {
    /// What was under way before is waited for.
    case starting
    /// Bytes are copied.
    case copying
    /// What was copied is made durable.
    case settling
    /// Nothing is left to copy, and what changes is kept the same in both places; also where nothing is copied at all.
    case standing

    /// As `FaultPlan` knows it.
    var step: String { "precopy-\(rawValue)" }

    /// Its place among all, which follow each other.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  public let stage: Stage
  /// Bytes that were copied, and those that are to be in all.
  public let copied: UInt64
  public let total: UInt64

  public init(_ stage: Stage, copied: UInt64 = 0, total: UInt64 = 0) {
    self.stage = stage
    self.copied = copied
    self.total = total
  }
}
