/// Faults that parties commit on purpose, each before one of a party's steps: how tests and soaks reach every
/// point of a handoff. Whoever may ask for a handoff may as well send the signal itself.
public struct FaultPlan: Equatable, Sendable, CustomStringConvertible {
  public enum Kind: String, CaseIterable, Sendable {
    /// SIGKILL to itself.
    case kill
    /// SIGSTOP to itself.
    case stop
  }

  public struct Fault: Equatable, Sendable, CustomStringConvertible {
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
    init?(_ text: Substring) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3, let party = Party.allCases.first(where: { "\($0)" == parts[0] }),
        let kind = Kind(rawValue: parts[2]), FaultPlan.steps(of: party).contains(parts[1])
      else { return nil }
      self.init(party: party, step: parts[1], kind: kind)
    }

    public var description: String { "\(party):\(step):\(kind.rawValue)" }
  }

  /// Faults that one plan may have.
  public static let faultLimit = 8
  /// Bytes of a plan as text.
  public static let textLimit = 512

  /// Those that are still to be committed.
  public private(set) var faults: [Fault]

  public init(_ faults: [Fault]) { self.faults = faults }

  /// Reads `PARTY:STEP:KIND`, or several with commas between them; nil where any of it is unknown.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.textLimit else { return nil }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= Self.faultLimit else { return nil }
    var faults: [Fault] = []
    for part in parts {
      guard let fault = Fault(part) else { return nil }
      faults.append(fault)
    }
    self.init(faults)
  }

  /// The part of the plan that `text` gives to `party`; a text that is no plan gives none.
  static func read(_ text: String, for party: Party) -> FaultPlan {
    FaultPlan((FaultPlan(text)?.faults ?? []).filter { $0.party == party })
  }

  public var description: String { faults.map(\.description).joined(separator: ",") }

  /// Every step of a party, by name.
  public static func steps(of party: Party) -> [String] {
    switch party {
    case .source:
      SourceStep.allCases.flatMap { step in
        [step.rawValue] + (step == .precopy ? Precopy.Stage.allCases.map(\.step) : [])
      }
    case .destination: DestinationStep.allCases.map(\.rawValue)
    case .coordinator: CoordinatorStep.allCases.map(\.rawValue)
    }
  }

  /// Commits the fault of this step if there is one; once only, since a party that was stopped goes on.
  ///
  /// Answers whether the party goes on now.
  @discardableResult mutating func reach(_ step: String, in world: any HandoffWorld) -> Bool {
    // The stun passes here: a party without faults does not even compare.
    guard !faults.isEmpty, let index = faults.firstIndex(where: { $0.step == step }) else { return true }
    return world.commit(faults.remove(at: index).kind)
  }
}
