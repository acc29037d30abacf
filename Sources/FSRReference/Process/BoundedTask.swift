internal import FSRSystem
internal import Synchronization

/// Something that a disk may keep from ending, done by a thread of its own: whoever needs it waits for so long, and goes
/// on without it.
final class BoundedTask<Value: Sendable>: Sendable {
  private enum State {
    case underWay
    case done(Result<Value, any Error>)
    /// Nobody waits for it any more.
    case left
  }

  private let state = Mutex(State.underWay)
  /// Nanoseconds between two looks.
  private static var interval: UInt64 { 1_000_000 }

  private init() {}

  /// Does `body`; nil where it has not ended by `deadline`, a time of `MonotonicClock`.
  ///
  /// - Parameter late: what its end is for then, on its own thread.
  /// - Throws: what `body` throws; `SystemError` where there is no thread to be had, and nothing was done.
  static func run(
    _ name: String, until deadline: UInt64, _ body: @escaping @Sendable () throws -> Value,
    late: @escaping @Sendable (Result<Value, any Error>) -> Void = { _ in }
  ) throws -> Value? {
    let task = BoundedTask()
    _ = try OSThread.start(name: name, detached: true) {
      let result = Result(catching: body)
      if task.end(with: result) { late(result) }
    }
    while true {
      let isLate = MonotonicClock.now() >= deadline
      if let result = task.look(leaving: isLate) { return try result.get() }
      if isLate { return nil }
      MonotonicClock.sleep(interval)
    }
  }

  /// Whether it comes too late.
  private func end(with result: Result<Value, any Error>) -> Bool {
    state.withLock { state in
      if case .left = state { return true }
      state = .done(result)
      return false
    }
  }

  private func look(leaving: Bool) -> Result<Value, any Error>? {
    state.withLock { state in
      if case .done(let result) = state { return result }
      if leaving { state = .left }
      return nil
    }
  }
}
