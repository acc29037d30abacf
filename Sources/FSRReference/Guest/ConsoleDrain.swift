internal import FSRSystem
internal import Synchronization

/// The thread that takes console output to its file while this process owns the guest.
///
/// It has stopped, with no write in flight, before the guest is given away.
final class ConsoleDrain: Sendable {
  /// Nanoseconds between two looks.
  private static let interval: UInt64 = 10_000_000
  /// What a pipe takes at once when it says that it takes anything (PIPE_BUF).
  private static let chunk = 4096

  private let buffer: ConsoleBuffer
  let file: Owned<OwnedDescriptor>?
  private let thread = Mutex<OSThread?>(nil)
  private let isRunning = Atomic<Bool>(false)

  init(buffer: ConsoleBuffer, file: Owned<OwnedDescriptor>?) {
    self.buffer = buffer
    self.file = file
  }

  func start() throws(SystemError) {
    guard file != nil, !isRunning.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let started: OSThread
    do throws(SystemError) { started = try startThread() } catch {
      isRunning.store(false, ordering: .releasing)
      throw error
    }
    thread.withLock { $0 = started }
  }

  private func startThread() throws(SystemError) -> OSThread {
    try OSThread.start(name: "console") { [self] in
      while isRunning.load(ordering: .acquiring) {
        drain()
        _ = try? Poller().wait(timeout: Self.interval)
      }
    }
  }

  /// Returns when the thread is gone; what is left in the buffer stays there for the next one.
  func stop() {
    guard isRunning.exchange(false, ordering: .acquiringAndReleasing) else { return }
    let ended = thread.withLock { thread in
      let old = thread
      thread = nil
      return old
    }
    ended?.join()
  }

  /// Writes all that is pending. On a full disk the output is dropped and counted.
  func drain() {
    guard let file else { return }
    while true {
      let bytes = buffer.pending(limit: Self.chunk)
      if bytes.isEmpty { return }
      do throws(SystemError) {
        // A reader that does not read must not hold up a handoff: what waits, waits in the buffer.
        guard try file.value.waitUntilWritable(timeout: Self.interval) else { return }
        try file.value.write(bytes)
        buffer.take(bytes.count)
      } catch {
        buffer.take(bytes.count, areLost: true)
      }
    }
  }
}
