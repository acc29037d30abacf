internal import FSRSystem
internal import Synchronization

/// A thread that does one piece of work over and over while this process owns the guest.
///
/// It has stopped, with nothing in flight, before the guest is given away.
final class Worker: Sendable {
  private let name: String
  private let thread = Mutex<OSThread?>(nil)
  private let running = Atomic<Bool>(false)

  init(name: String) { self.name = name }

  var isRunning: Bool { running.load(ordering: .acquiring) }

  /// Repeats `work` until `stop`; nothing happens where it runs already.
  func start(_ work: @escaping @Sendable () -> Void) throws(SystemError) {
    guard !running.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let started: OSThread
    do throws(SystemError) {
      started = try OSThread.start(name: name) { [self] in while isRunning { work() } }
    } catch {
      running.store(false, ordering: .releasing)
      throw error
    }
    thread.withLock { $0 = started }
  }

  /// Returns when the thread is gone. `wake` ends a wait of its work's.
  func stop(wake: () -> Void = {}) {
    guard running.exchange(false, ordering: .acquiringAndReleasing) else { return }
    wake()
    let ended = thread.withLock { thread in
      let old = thread
      thread = nil
      return old
    }
    ended?.join()
  }
}
