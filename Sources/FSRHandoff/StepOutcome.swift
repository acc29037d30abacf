/// How a step of a party ended: the one kind of event its machine takes.
public enum StepOutcome: Hashable, Sendable {
  /// It was done; for a claim: the word was moved.
  case done
  /// It was not, for an error, a deadline or an abort. The session keeps the reason.
  case failed
  /// The word was read and is in a state that the step does not go on from.
  case found(ResumeState)
}
