/// How a VM is.
public enum VMState: String, CaseIterable, Sendable {
  case starting, running, paused, handoff, stunned, lost
  /// The guest has asked for a reset, and is being started anew.
  case reset
  /// The guest has ended itself, and its last words are being written.
  case ending

  /// The word for it that builds know which have none for `reset` and `ending`.
  var oldWord: VMState {
    switch self {
    case .starting, .running, .paused, .handoff, .stunned, .lost: self
    case .reset, .ending: .running
    }
  }
}
