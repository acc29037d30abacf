public import FSRSystem
import Synchronization

/// Runs every body on a thread of its own, lets all go at once, and answers with what each came to.
public func race<Answer: Sendable>(_ bodies: [@Sendable () -> Answer]) throws(SystemError) -> [Answer] {
  let finish = Owned(FinishLine<Answer>(runners: bodies.count))
  var threads: [OSThread] = []
  for (index, body) in bodies.enumerated() {
    let thread = try OSThread.start(name: "racer") {
      finish.value.ready()
      let answer = body()
      finish.value.arrive(index, answer)
    }
    threads.append(thread)
  }
  for thread in threads { thread.join() }
  return finish.value.answers
}

/// Where racers wait for each other, and leave their answers.
private struct FinishLine<Answer: Sendable>: ~Copyable, Sendable {
  private let waiting: Atomic<Int>
  private let arrived: Mutex<[Int: Answer]>

  init(runners: Int) {
    waiting = Atomic(runners)
    arrived = Mutex([:])
  }

  /// Spins, so that all leave within nanoseconds; the last to come is there soon.
  func ready() {
    waiting.subtract(1, ordering: .acquiringAndReleasing)
    while waiting.load(ordering: .acquiring) > 0 {}
  }

  func arrive(_ index: Int, _ answer: Answer) { arrived.withLock { $0[index] = answer } }

  var answers: [Answer] { arrived.withLock { found in found.sorted { $0.key < $1.key }.map(\.value) } }
}
