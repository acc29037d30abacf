public import FSRHandoff

/// What a handoff's caller hears of it while it is under way, and may say to it. Both are called by the thread that
/// performs the handoff, between two looks at the block.
public struct HandoffObserver {
  /// Answers what has come that calls the handoff off, as people know it: a signal's name. Nil where it goes on; once it has
  /// answered, it is not asked any more.
  public var interruption: () -> String?
  /// Shown the block at every look.
  public var look: (ControlBlock) -> Void

  public init(
    interruption: @escaping () -> String? = { nil }, look: @escaping (ControlBlock) -> Void = { _ in }
  ) {
    self.interruption = interruption
    self.look = look
  }
}
