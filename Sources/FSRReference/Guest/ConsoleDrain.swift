package import FSRHost
package import FSRSystem

/// The thread that takes console output to its file while this process owns the guest.
///
/// It rests, with no write in flight, before the guest is given away.
package final class ConsoleDrain: Sendable {
  /// Nanoseconds between two looks.
  private static let interval: UInt64 = 10_000_000
  /// What a pipe takes at once when it says that it takes anything (PIPE_BUF).
  private static let chunk = 4096

  private let buffer: ConsoleBuffer
  let file: Owned<OwnedDescriptor>?
  private let worker = PeriodicThread(name: "console")

  package init(buffer: ConsoleBuffer, file: Owned<OwnedDescriptor>?) {
    self.buffer = buffer
    self.file = file
  }

  package func start() throws(SystemError) {
    guard file != nil else { return }
    try worker.start { [self] in
      drain { worker.isRunning }
      MonotonicClock.sleep(Self.interval)
    }
  }

  /// Returns when the thread does nothing; what is left in the buffer stays there for the next one.
  package func rest() { worker.rest() }

  /// The same for good.
  package func stop() { worker.stop() }

  /// Writes all that a guest which has ended has said, and drops and counts what is left when the reader takes
  /// nothing for `timeout` nanoseconds, or when somebody does not want to wait for it. Without a file there is nobody
  /// to wait for: what is in memory goes with who reads it there.
  package func finish(timeout: UInt64, while isWanted: () -> Bool = { true }) {
    if file == nil { return }
    var left = buffer.undrainedCount
    var deadline = MonotonicClock.now() &+ timeout
    while left > 0 {
      drain(while: isWanted)
      let now = buffer.undrainedCount
      if now != left { deadline = MonotonicClock.now() &+ timeout }
      left = now
      if left == 0 { return }
      if !isWanted() || MonotonicClock.now() >= deadline {
        return buffer.take(Int(clamping: left), areLost: true)
      }
      // A drain that cannot even ask returns at once.
      MonotonicClock.sleep(Self.interval)
    }
  }

  /// Writes all that is pending, while `isWanted` says so. On a full disk the output is dropped and counted.
  func drain(while isWanted: () -> Bool = { true }) {
    guard let file else { return }
    while isWanted() {
      let bytes = buffer.pending(limit: Self.chunk)
      if bytes.isEmpty { return }
      do throws(SystemError) {
        // A reader that does not read must not hold up a handoff: what waits, waits in the buffer.
        guard try file.value.waitUntilWritable(timeout: Self.interval) else { return }
        buffer.take(try file.value.writeSome(bytes[...]))
      } catch {
        // A descriptor that somebody has made non-blocking is full, and not broken.
        if error.isTimeout { return }
        buffer.take(bytes.count, areLost: true)
      }
    }
  }
}
