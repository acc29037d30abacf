/// The destination's half of a handoff, without any deed: a step's outcome in, the next step out.
///
/// A successor is a destination whose block starts at `destVerify`, and to whom nobody has released.
public struct DestinationHandoff: Hashable, Sendable {
  /// How the process came to be a destination.
  public enum Kind: Hashable, Sendable {
    /// A source prepares it while the guest runs.
    case handoff
    /// A coordinator starts it from a complete checkpoint.
    case successor
  }

  public let kind: Kind
  /// What is to be done now.
  public private(set) var step: DestinationStep = .negotiate

  public init(_ kind: Kind) { self.kind = kind }

  /// Takes the outcome of the current step and answers the next one.
  public mutating func next(after outcome: StepOutcome) -> DestinationStep {
    step = following(outcome)
    return step
  }

  private func following(_ outcome: StepOutcome) -> DestinationStep {
    switch step {
    case .negotiate: advancing(outcome, then: .prepare, otherwise: .release)
    case .prepare: advancing(outcome, then: kind == .successor ? .fence : .awaitComplete, otherwise: .release)
    case .awaitComplete: advancing(outcome, then: .claimVerify, otherwise: .release)
    case .claimVerify: advancing(outcome, then: .fence, otherwise: .release)
    case .fence: advancing(outcome, then: .takeStorage, otherwise: kind == .successor ? .fence : .giveBack)
    case .takeStorage:
      advancing(outcome, then: .verify, otherwise: kind == .successor ? .takeStorage : .giveBack)
    case .verify: advancing(outcome, then: .claimDestination, otherwise: .giveBack)
    case .claimDestination: advancing(outcome, then: .resume, otherwise: .giveBack)
    case .giveBack: always(outcome, then: .release)
    case .resume: always(outcome, then: .reap)
    case .reap: always(outcome, then: .publish)
    case .publish: always(outcome, then: .keep)
    case .release: always(outcome, then: .park)
    case .park: always(outcome, then: .leave)
    case .keep, .leave: over(outcome)
    }
  }

  /// Any state of the word that a step does not go on from means that somebody else goes on.
  private func advancing(
    _ outcome: StepOutcome, then next: DestinationStep, otherwise: DestinationStep
  ) -> DestinationStep {
    switch outcome {
    case .done: next
    case .failed: otherwise
    case .found: .release
    }
  }

  private func always(_ outcome: StepOutcome, then next: DestinationStep) -> DestinationStep {
    switch outcome {
    case .done, .failed, .found: next
    }
  }

  private func over(_ outcome: StepOutcome) -> DestinationStep {
    switch outcome {
    case .done, .failed, .found: preconditionFailure("nothing follows \(step)")
    }
  }
}
