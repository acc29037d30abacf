import FSRSystem
import FSRTestSupport
import Synchronization

/// Many trials, a few at once on threads of their own: most of their time is waiting for deadlines.
struct Trials<Subject: Sendable>: ~Copyable, Sendable {
  private let subjects: [Subject]
  private let body: @Sendable (Subject) -> [String]
  private let next = Atomic<Int>(0)
  private let found = Mutex<[String]>([])

  private init(_ subjects: [Subject], _ body: @escaping @Sendable (Subject) -> [String]) {
    self.subjects = subjects
    self.body = body
  }

  /// Tries all of `subjects`, and answers what was found.
  static func findings(of subjects: [Subject], _ body: @escaping @Sendable (Subject) -> [String]) async
    -> [String]
  {
    let trials = Owned(Self(subjects, body))
    // How many are tried at once.
    let width = 4
    await withCheckedContinuation { continuation in
      let isStarted = try? OSThread.start(name: "trials", detached: true) {
        _ = try? race(Array(repeating: { @Sendable in trials.value.work() }, count: width))
        continuation.resume()
      }
      if isStarted == nil { continuation.resume() }
    }
    return trials.value.all
  }

  private func work() {
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < subjects.count else { return }
      let new = Blocking.inTurn { body(subjects[index]) }
      found.withLock { $0 += new }
    }
  }

  private var all: [String] {
    let tried = min(next.load(ordering: .relaxed), subjects.count)
    return found.withLock { $0 } + (tried == subjects.count ? [] : ["only \(tried) were tried"])
  }
}
