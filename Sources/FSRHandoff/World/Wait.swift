public import FSRSystem

/// What a session waits for: any of it, or the moment at the latest.
///
/// A world that cannot wait for all of it at once returns early, or wakes for the descriptors alone: so a session that
/// waits for a word beside them says a moment that is near.
public struct Wait: Sendable {
  /// On the monotonic clock, in nanoseconds.
  public var until: UInt64
  /// Until something is to be received on one of them, or its peer has hung up.
  public var links: [Owned<HandoffLink>] = []
  /// Until one of them has exited.
  public var processes: [any PeerProcess] = []
  /// While the word is in this state.
  public var word: (block: ControlBlock, state: ResumeState)?
  /// Until somebody rings after this number was read.
  public var doorbell: (block: ControlBlock, seen: UInt32)?

  public init(until: UInt64) { self.until = until }
}

extension Wait {
  /// While the word of `block` is in `state`.
  static func word(_ state: ResumeState, of block: ControlBlock, until: UInt64) -> Wait {
    var wait = Wait(until: until)
    wait.word = (block, state)
    return wait
  }

  /// Until somebody rings at `block` after `seen` was read.
  static func ring(after seen: UInt32, at block: ControlBlock, until: UInt64) -> Wait {
    var wait = Wait(until: until)
    wait.doorbell = (block, seen)
    return wait
  }

  /// Until `process` has exited.
  static func exit(of process: any PeerProcess, until: UInt64) -> Wait {
    var wait = Wait(until: until)
    wait.processes = [process]
    return wait
  }
}
