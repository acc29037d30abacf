/// Whether a process can still do its part.
public enum Liveness: Hashable, Sendable {
  case alive
  /// It lives, and did not do what was expected of it in time; it may wake at any moment.
  case hung
  /// Its pidfd is readable.
  case gone

  var canAct: Bool { self == .alive }
}

/// What a coordinator saw in one look, in this order: the processes, then the flags, then the word.
///
/// The order matters: a source that is seen gone has said complete before, or never will.
public struct Observation: Hashable, Sendable {
  public let source: Liveness
  public let destination: Liveness
  /// Whether the destination has given up: it stays only to hold its descriptors.
  public let destinationReleased: Bool
  public let isComplete: Bool
  public let word: ResumeState
  /// Whether somebody has written over the word, which then moves no more: `word` is what it was before.
  public let isCorrupt: Bool
  /// Whether the victor's first vCPU has entered the guest.
  public let hasEntered: Bool
  /// Whether this coordinator has copies of the guest's descriptors.
  public let holdsCopies: Bool
  /// Whether the handoff is to end now: a deadline has passed, or somebody asked for it.
  public let isToStop: Bool

  public init(
    source: Liveness, destination: Liveness, destinationReleased: Bool = false, isComplete: Bool,
    word: ResumeState, isCorrupt: Bool = false, hasEntered: Bool = false, holdsCopies: Bool,
    isToStop: Bool = false
  ) {
    self.source = source
    self.destination = destination
    self.destinationReleased = destinationReleased
    self.isComplete = isComplete
    self.word = word
    self.isCorrupt = isCorrupt
    self.hasEntered = hasEntered
    self.holdsCopies = holdsCopies
    self.isToStop = isToStop
  }

  var destinationCanWin: Bool { destination.canAct && !destinationReleased }
}
