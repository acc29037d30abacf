internal import Synchronization

/// Counts a guest's resets, so that one that does nothing else fills neither history nor log: resets in a row share
/// records, of which each waits twice as long as the one before it, up to an hour.
package final class ResetTally: Sendable {
  /// Nanoseconds between two records, at first and at most. So long a quiet makes a row end.
  private static let shortest: UInt64 = 1_000_000_000
  package static let longest: UInt64 = 3600 * shortest

  private struct State {
    /// When the newest record was given out, and the newest reset came.
    var told: UInt64?
    var newest: UInt64 = 0
    var interval = ResetTally.shortest
    /// Resets that no record has told of, and when the first of them came.
    var count: UInt64 = 0
    var first: UInt64 = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Counts one more; answers what the history is to say, if it is time for a record.
  package func count(at now: UInt64) -> String? {
    note(at: now)
    return due(at: now)
  }

  /// Counts one more.
  func note(at now: UInt64) {
    state.withLock { state in
      // After so long a quiet a row begins anew.
      if now >= state.newest &+ Self.longest { (state.interval, state.told) = (Self.shortest, nil) }
      if state.count == 0 { state.first = now }
      state.count += 1
      state.newest = now
    }
  }

  /// What the history is to say of resets that wait for that, if it is time.
  package func due(at now: UInt64) -> String? {
    state.withLock { state in
      guard state.count > 0 else { return nil }
      if let told = state.told, now < told &+ state.interval { return nil }
      return Self.tell(&state, now)
    }
  }

  /// Nanoseconds until `due` has something to say; nil where nothing waits.
  package func wait(at now: UInt64) -> UInt64? {
    state.withLock { state in
      guard state.count > 0 else { return nil }
      let due = state.told.map { $0 &+ state.interval } ?? now
      return due > now ? due - now : 0
    }
  }

  /// What no record has told of, at once: nobody counts on here.
  package func rest(at now: UInt64) -> String? {
    state.withLock { $0.count > 0 ? Self.tell(&$0, now) : nil }
  }

  private static func tell(_ state: inout State, _ now: UInt64) -> String {
    defer {
      if state.told != nil { state.interval = min(state.interval * 2, longest) }
      (state.told, state.count) = (now, 0)
    }
    if state.count == 1 { return "the guest asked for it" }
    let seconds = (state.newest - state.first + 500_000_000) / 1_000_000_000
    return "the guest asked for it \(state.count) times in \(seconds) s"
  }
}
