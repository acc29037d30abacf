internal import CFSRLinux
internal import Glibc

/// Waits for several descriptors at once (ppoll(2)).
///
/// It holds numbers and not the descriptors: whoever closes a watched one calls `forget` first. One that was
/// closed all the same is reported as ready, so that a read of it says what is wrong.
public struct Poller: Sendable {
  private var numbers: [Int32] = []
  private var tokens: [Int] = []

  public init() {}

  /// Watches for bytes to read, the peer's hanging up, or a process's end, and answers with `token`.
  public mutating func watch(_ descriptor: borrowing OwnedDescriptor, token: Int) {
    numbers.append(descriptor.raw)
    tokens.append(token)
  }

  /// Watches no longer for what has `token`.
  public mutating func forget(token: Int) {
    while let index = tokens.firstIndex(of: token) {
      tokens.remove(at: index)
      numbers.remove(at: index)
    }
  }

  /// The tokens of what is readable or hung up, in the order they were watched; empty when `timeout`
  /// nanoseconds passed or a signal came first. Nil waits without end.
  public func wait(timeout: UInt64?) throws(SystemError) -> [Int] {
    var polls = numbers.map { cfsr_poll(fd: $0, events: CFSR_POLL_IN, revents: 0) }
    // SAFETY: as many entries as are told.
    let answer = unsafe polls.withUnsafeMutableBufferPointer {
      unsafe cfsr_poll($0.baseAddress, $0.count, timeout ?? 0, timeout == nil ? 0 : 1)
    }
    if answer == -EINTR { return [] }
    try check(answer, "ppoll", on: "\(numbers.count) descriptors")
    return polls.indices.filter { polls[$0].revents != 0 }.map { tokens[$0] }
  }
}

extension OwnedDescriptor {
  /// Writes all of `bytes` at the current position however slowly they are taken: also where somebody has made a pipe
  /// or a terminal non-blocking (O_NONBLOCK), which is everybody's who shares it.
  ///
  /// - Parameters:
  ///   - pollInterval: how long it waits between two looks at `isWanted`, in nanoseconds.
  ///   - isWanted: asked before each write; where it says no the rest is not written.
  public func writePatiently(
    _ bytes: [UInt8], pollInterval: UInt64 = 1_000_000_000, while isWanted: () -> Bool = { true }
  ) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty, isWanted() {
      do throws(SystemError) {
        rest = rest.dropFirst(try writeSome(rest))
      } catch {
        // It takes nothing at the moment.
        guard error.errno == EAGAIN else { throw error }
        _ = try waitUntilWritable(timeout: pollInterval)
      }
    }
  }

  /// Waits until it takes bytes, of a pipe at least 4096; false when `timeout` nanoseconds passed.
  public func waitUntilWritable(timeout: UInt64) throws(SystemError) -> Bool {
    var poll = cfsr_poll(fd: raw, events: CFSR_POLL_OUT, revents: 0)
    // SAFETY: one entry, as is told.
    let answer = unsafe cfsr_poll(&poll, 1, timeout, 1)
    if answer == -EINTR { return false }
    return try check(answer, "ppoll", on: "1 descriptor") > 0
  }

  /// Waits until it is readable or hung up, signals notwithstanding; false when `deadline` of the monotonic
  /// clock passed. Nil waits without end.
  func waitUntilReady(deadline: UInt64?) throws(SystemError) -> Bool {
    var poller = Poller()
    poller.watch(self, token: 0)
    while true {
      let now = MonotonicClock.now()
      if try !poller.wait(timeout: deadline.map { $0 > now ? $0 - now : 0 }).isEmpty { return true }
      if let deadline, MonotonicClock.now() >= deadline { return false }
    }
  }
}
