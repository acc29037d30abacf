internal import Synchronization

/// Counts a guest's resets, so that one that does nothing else does not fill the history.
final class ResetTally: Sendable {
  /// Nanoseconds between two lines of the history at least.
  private static let interval: UInt64 = 1_000_000_000

  private let state = Mutex<(last: UInt64?, count: UInt64)>((nil, 0))

  /// Counts one more; answers what the history is to say, if it is time for a line.
  func count(at now: UInt64) -> String? {
    state.withLock { state in
      state.count += 1
      if let last = state.last, now < last &+ Self.interval { return nil }
      defer { state = (now, 0) }
      return state.count == 1 ? "the guest asked for it" : "the guest asked for it \(state.count) times"
    }
  }
}
