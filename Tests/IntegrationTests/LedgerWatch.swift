import FSRMemory
import FSRSystem
import FSRTestSupport
import Synchronization

/// Looks at the ledger of a runtime folder again and again, on a thread of its own, and writes down every sum that
/// it sees.
final class LedgerWatch: Sendable {
  private let runtime: String
  private let isOver = OneWayFlag()
  private let seen = Mutex<(sums: Set<String>, looks: Int)>(([], 0))
  private let thread = Mutex<OSThread?>(nil)

  init(runtime: String) throws {
    self.runtime = runtime
    let thread = try OSThread.start(name: "ledger watch") { [self] in watch() }
    self.thread.withLock { $0 = thread }
  }

  private func watch() {
    while !isOver.isUp {
      let sum: String
      do {
        let book = try Ledger(in: try Directory.open(runtime)).read()
        sum = "\(book.reserved()) in \(book.records.count)"
      } catch { sum = "\(error)" }
      seen.withLock {
        $0.sums.insert(sum)
        $0.looks += 1
      }
      MonotonicClock.sleep(200_000)
    }
  }

  /// Ends it; answers what it saw, as bytes and number of records.
  func end() -> (sums: Set<String>, looks: Int) {
    isOver.raise()
    thread.withLock { $0.take() }?.join()
    return seen.withLock { $0 }
  }
}
