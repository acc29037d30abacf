import Dispatch
import FSRSystem
import Synchronization

/// Work that waits a lot, on a thread of its own: the pool of Swift's tasks is as small as the machine.
public enum Blocking {
  /// How many run at once. The others wait: what they start would only take the processors from each other, until
  /// what should take moments takes longer than anything may.
  public static let width = 6
  private static let turns = DispatchSemaphore(value: width)

  /// - Parameter atOnce: whether `body` waits for no turn: something that is under way already needs it.
  public static func run<Answer: Sendable>(atOnce: Bool = false, _ body: @escaping @Sendable () -> Answer)
    async
    -> Answer
  {
    await withCheckedContinuation { continuation in
      let work = { @Sendable in continuation.resume(returning: atOnce ? body() : inTurn(body)) }
      do { _ = try OSThread.start(name: "test", detached: true, work) } catch { work() }
    }
  }

  /// Runs `body` on this thread, which waits for its turn. Not inside of another turn: all may have come to wait.
  public static func inTurn<Answer>(_ body: () -> Answer) -> Answer {
    turns.wait()
    defer { turns.signal() }
    return body()
  }
}
