internal import FSRSystem

/// A fault that a party commits on purpose, before one of its steps: how tests and soaks reach every point
/// of a handoff. Whoever may ask for a handoff may as well send the signal itself.
public struct FaultPlan: Equatable, Sendable, CustomStringConvertible {
  public enum Kind: String, CaseIterable, Sendable {
    /// SIGKILL to itself.
    case kill
    /// SIGSTOP to itself.
    case stop
  }

  public let party: Party
  /// The step's name.
  public let step: String
  public let kind: Kind

  public init(party: Party, step: String, kind: Kind) {
    self.party = party
    self.step = step
    self.kind = kind
  }

  /// Reads `PARTY:STEP:KIND`; nil where one of the three is unknown.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let party = Party.allCases.first(where: { "\($0)" == parts[0] }),
      let kind = Kind(rawValue: parts[2]), Self.steps(of: party).contains(parts[1])
    else { return nil }
    self.init(party: party, step: parts[1], kind: kind)
  }

  public var description: String { "\(party):\(step):\(kind.rawValue)" }

  /// Every step of a party, by name.
  public static func steps(of party: Party) -> [String] {
    switch party {
    case .source: SourceStep.allCases.map(\.rawValue)
    case .destination: DestinationStep.allCases.map(\.rawValue)
    case .coordinator: CoordinatorStep.allCases.map(\.rawValue)
    }
  }

  /// Commits the fault if this is the step; the first time only, since a stop comes back.
  static func reach(_ plan: inout FaultPlan?, _ step: String) {
    guard let fault = plan, fault.step == step else { return }
    plan = nil
    ProcessDescriptor.signalSelf(fault.kind == .kill ? SignalNumber.kill : SignalNumber.stop)
  }
}
