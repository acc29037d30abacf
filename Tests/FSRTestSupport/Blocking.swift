import Dispatch
import FSRSystem
import Synchronization

/// Work that waits a lot, on a thread of its own: the pool of Swift's tasks is as small as the machine.
public enum Blocking {
  /// How many run at once. The others wait: what they start would only take the processors from each other, until
  /// what should take moments takes longer than anything may.
  public static let width = 8
  private static let turns = DispatchSemaphore(value: width)

  public static func run<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) async -> Answer {
    await withCheckedContinuation { continuation in
      let inTurn = { @Sendable in
        turns.wait()
        let answer = body()
        turns.signal()
        continuation.resume(returning: answer)
      }
      do { _ = try OSThread.start(name: "test", detached: true, inTurn) } catch { inTurn() }
    }
  }
}
