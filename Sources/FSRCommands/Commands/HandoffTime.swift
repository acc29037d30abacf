internal import FSRHandoff
internal import FSRSystem

extension CoordinatorSession.Options {
  /// Takes what a command has spent since `begin` off the time for all of it. Nanoseconds on the monotonic clock.
  mutating func spend(since begin: UInt64) { timeout -= min(timeout - 1, MonotonicClock.now() - begin) }
}
