import FSRSystem
import Synchronization

/// Work that waits a lot, on a thread of its own: the pool of Swift's tasks is as small as the machine.
public enum Blocking {
  public static func run<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) async -> Answer {
    await withCheckedContinuation { continuation in
      do {
        _ = try OSThread.start(name: "test", detached: true) { continuation.resume(returning: body()) }
      } catch { continuation.resume(returning: body()) }
    }
  }
}
