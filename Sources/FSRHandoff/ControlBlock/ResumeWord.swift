/// Who may resume the guest: the states of the one word that decides a handoff.
///
/// Zero is no state, so that memory nobody has written yet decides nothing.
public enum ResumeState: UInt32, CaseIterable, Hashable, Sendable {
  /// Nobody has claimed anything; the source runs the guest, or has stunned it.
  case none = 1
  /// The destination verifies what it was given. Nobody runs.
  case destVerify = 2
  /// The source is to go on, once it is fenced and has everything back. Nobody runs who was stunned.
  case source = 3
  /// The source runs. Terminal.
  case resumed = 4
  /// The destination runs. Terminal.
  case destination = 5
  /// Neither of the two can go on: the VM goes on in the next attempt's block. Terminal for this block.
  case successor = 6

  /// Whether no edge leaves this state.
  public var isTerminal: Bool {
    switch self {
    case .none, .destVerify, .source: false
    case .resumed, .destination, .successor: true
    }
  }

  /// Whether edges lead from here to `other`, one behind the other; a state leads to itself.
  public func leads(to other: ResumeState) -> Bool {
    switch self {
    case .none: true
    case .destVerify: other != .none
    case .source: other == .source || other == .resumed || other == .successor
    case .resumed, .destination, .successor: other == self
    }
  }

  /// Whether somebody may run the guest in this state.
  public var isDecided: Bool { self == .resumed || self == .destination }
}

/// A process's part in one handoff attempt.
public enum Party: UInt32, CaseIterable, Hashable, Sendable {
  case source = 0
  case destination = 1
  case coordinator = 2
}

/// The 64 bits that decide: the attempt in the upper half, the state in the lower.
public struct ResumeWord: Hashable, Sendable {
  public let attempt: UInt32
  public let state: ResumeState

  public init(attempt: UInt32, state: ResumeState) {
    self.attempt = attempt
    self.state = state
  }

  /// Nil where the bits name no state, or another attempt than the block's.
  public init?(bits: UInt64, attempt: UInt32) {
    guard UInt32(bits >> 32) == attempt, let state = ResumeState(rawValue: UInt32(truncatingIfNeeded: bits))
    else { return nil }
    self.init(attempt: attempt, state: state)
  }

  public var bits: UInt64 { UInt64(attempt) << 32 | UInt64(state.rawValue) }

  /// Whether `party` may move a word from `old` to `new`: the whole table of edges.
  ///
  /// The conditions behind an edge (the checkpoint is complete, the mover is fenced) are the machines' part.
  public static func allows(_ old: ResumeState, to new: ResumeState, by party: Party) -> Bool {
    switch (old, new) {
    case (.none, .destVerify): party == .destination
    case (.none, .source): party == .source || party == .coordinator
    case (.destVerify, .source): true
    case (.source, .resumed): party == .source
    case (.destVerify, .destination): party == .destination
    case (.none, .successor), (.destVerify, .successor), (.source, .successor): party == .coordinator
    case (.none, .none), (.none, .resumed), (.none, .destination),
      (.destVerify, .none), (.destVerify, .destVerify), (.destVerify, .resumed),
      (.source, .none), (.source, .destVerify), (.source, .source), (.source, .destination),
      (.resumed, _), (.destination, _), (.successor, _):
      false
    }
  }
}

/// What a claim of the word came to.
public enum Claim: Hashable, Sendable {
  /// The word was moved by this call.
  case made
  /// It was not: the word is in this state.
  case found(ResumeState)
}
