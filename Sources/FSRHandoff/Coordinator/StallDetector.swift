/// Whether anything of a handoff has changed lately: who lives and changes nothing hangs.
package struct StallDetector: Sendable {
  /// What changes as long as somebody does his part.
  package struct Sight: Equatable, Sendable {
    package var attempt: UInt32
    package var word: ResumeState
    package var isComplete: Bool
    package var hasEntered: Bool
    package var sourceReleased: Bool
    package var destinationReleased: Bool
    /// 0 while it is not.
    package var preparedAt: UInt64

    package init(
      attempt: UInt32, word: ResumeState, isComplete: Bool = false, hasEntered: Bool = false,
      sourceReleased: Bool = false, destinationReleased: Bool = false, preparedAt: UInt64 = 0
    ) {
      self.attempt = attempt
      self.word = word
      self.isComplete = isComplete
      self.hasEntered = hasEntered
      self.sourceReleased = sourceReleased
      self.destinationReleased = destinationReleased
      self.preparedAt = preparedAt
    }
  }

  private var last: Sight?
  private var lastChange: UInt64 = 0

  package init() {}

  /// Takes what a look shows at `moment`.
  package mutating func note(_ sight: Sight, at moment: UInt64) {
    if sight == last { return }
    last = sight
    lastChange = moment
  }

  /// Whether the last change is more than `timeout` nanoseconds ago.
  package func hasStoodStill(for timeout: UInt64, at moment: UInt64) -> Bool {
    moment > lastChange &+ timeout
  }
}
