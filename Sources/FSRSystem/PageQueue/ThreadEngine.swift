internal import CFSRLinux
internal import Synchronization

/// Transfers by threads of ours, each waiting for one: where the kernel has no io_uring, or forbids it.
final class ThreadEngine: PageEngine {
  /// Transfers that are under way at once.
  static let threadCount = 4

  private let work = ThreadWork()
  private let event: Owned<EventDescriptor>
  private let threads: Mutex<[OSThread]>

  /// - Throws: EAGAIN where the process may have no more threads.
  init(event: Owned<EventDescriptor>) throws(SystemError) {
    self.event = event
    threads = Mutex([])
    do throws(SystemError) {
      for _ in 0..<Self.threadCount {
        let thread = try OSThread.start(name: "pages") { [work, event] in work.run(event) }
        threads.withLock { $0.append(thread) }
      }
    } catch {
      stop()
      throw error
    }
  }

  func start(_ index: Int, _ part: PagePart) { work.put(index, part) }

  func flush() {}

  var isHeldUp: Bool { false }

  func takeAnswers() -> [PageAnswer] { work.takeAnswers() }

  func stop() {
    let started = threads.withLock { all in
      defer { all = [] }
      return all
    }
    work.end(threads: started.count)
    for thread in started { thread.join() }
  }
}

/// What the threads have to do, and what they have done.
private final class ThreadWork: Sendable {
  private struct Lists {
    var parts: [(index: Int, part: PagePart)] = []
    /// The first of `parts` that nobody has taken.
    var next = 0
    var answers: [PageAnswer] = []
  }

  private let lists = Mutex(Lists())
  private let available = Semaphore()

  func put(_ index: Int, _ part: PagePart) {
    lists.withLock { $0.parts.append((index, part)) }
    available.post()
  }

  /// Lets each of `threads` end once nothing is left to do.
  func end(threads: Int) { for _ in 0..<threads { available.post() } }

  func takeAnswers() -> [PageAnswer] {
    lists.withLock { lists in
      defer { lists.answers.removeAll(keepingCapacity: true) }
      return lists.answers
    }
  }

  func run(_ event: Owned<EventDescriptor>) {
    while true {
      available.wait()
      guard let (index, part) = take() else { return }
      let answer = perform(part)
      lists.withLock { $0.answers.append(PageAnswer(index: index, answer: answer)) }
      // Writing to an eventfd that is not full cannot fail.
      try? event.value.signal()
    }
  }

  private func take() -> (index: Int, part: PagePart)? {
    lists.withLock { lists in
      guard lists.next < lists.parts.count else { return nil }
      let taken = lists.parts[lists.next]
      lists.next += 1
      if lists.next == lists.parts.count || lists.next > PageQueue.depthLimit {
        lists.parts.removeFirst(lists.next)
        lists.next = 0
      }
      return taken
    }
  }

  private func perform(_ part: PagePart) -> Int64 {
    // SAFETY: the queue keeps memory and file until the answer.
    switch part.direction {
    case .read: unsafe cfsr_read_at(part.file, part.address, part.count, part.offset)
    case .write: unsafe cfsr_write_at(part.file, part.address, part.count, part.offset)
    }
  }
}
