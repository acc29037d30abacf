internal import CFSRLinux
internal import Glibc

/// A process that cannot be mistaken for another (pidfd), and whose end can be waited for.
public struct ProcessDescriptor: ~Copyable, Sendable {
  /// For a `Poller`: readable once the process has exited.
  public let descriptor: OwnedDescriptor

  /// Takes a pidfd that somebody else opened.
  public init(adopting descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// Opens the process that has the number `pid` now; ESRCH if there is none.
  public static func open(pid: Int32) throws(SystemError) -> ProcessDescriptor {
    let raw = try check(cfsr_process_open(pid), "pidfd_open", on: "process \(pid)")
    return ProcessDescriptor(adopting: OwnedDescriptor(adopting: raw))
  }

  /// Opens exactly the process that `identity`, of this PID namespace, names; nil when it is gone, and when another has
  /// its number.
  ///
  /// - Throws: `SystemError` where it cannot be told: for want of descriptors, and where /proc does not show processes.
  public static func open(_ identity: ProcessIdentity) throws(SystemError) -> ProcessDescriptor? {
    // Of another boot there is nobody left.
    let boot = try ProcessIdentity.establish().bootID
    if identity.pid <= 0 || identity.bootID != boot { return nil }
    let answer = cfsr_process_open(identity.pid)
    if answer == -ESRCH { return nil }
    let raw = try check(answer, "pidfd_open", on: "process \(identity.pid)")
    let process = ProcessDescriptor(adopting: OwnedDescriptor(adopting: raw))
    // Compared after opening: were it the other way round, the number could change hands in between.
    guard let found = try ProcessIdentity.look(pid: identity.pid) else {
      if try process.hasExited() { return nil }
      // It lives, and /proc hides it.
      throw SystemError("openat", on: "/proc/\(identity.pid)/stat", errno: ENOENT)
    }
    if TimeNamespace.isOther(pid: identity.pid) {
      throw SystemError(
        "readlinkat", on: "/proc/\(identity.pid)/ns/time, which is another time namespace", errno: ENOTSUP)
    }
    guard found.identity == identity else { return nil }
    // One of several threads may have ended before the others.
    if found.isEnding, try process.hasExited() { return nil }
    return process
  }

  /// A second descriptor of the same process.
  public func duplicate() throws(SystemError) -> ProcessDescriptor {
    ProcessDescriptor(adopting: try descriptor.duplicate())
  }

  /// Gives the descriptor away, to send it.
  public consuming func release() -> OwnedDescriptor { descriptor }

  /// Whether it has exited, reaped or not.
  public func hasExited() throws(SystemError) -> Bool { try descriptor.waitUntilReady(deadline: 0) }

  /// Waits for the exit; false when `timeout` nanoseconds passed. Nil waits without end.
  public func waitForExit(timeout: UInt64?) throws(SystemError) -> Bool {
    try descriptor.waitUntilReady(deadline: MonotonicClock.deadline(after: timeout))
  }

  /// Sends the signal `number`; false when the process is gone. Signal 0 only asks.
  @discardableResult
  public func signal(_ number: Int32) throws(SystemError) -> Bool {
    let answer = cfsr_process_signal(descriptor.raw, number)
    if answer == -ESRCH { return false }
    try check(answer, "pidfd_send_signal", on: "signal \(number)")
    return true
  }

  /// Takes the exit status of a child of this process; nil while it runs, when somebody took it, and when it
  /// is no child.
  public func reap() throws(SystemError) -> ExitStatus? {
    var exit = cfsr_exit()
    // SAFETY: written by the call alone.
    let answer = unsafe cfsr_process_reap(descriptor.raw, &exit)
    if answer == -ECHILD { return nil }
    try check(answer, "waitid P_PIDFD")
    if exit.pid == 0 { return nil }
    return exit.code == Int32(CLD_EXITED) ? .exited(exit.status) : .signaled(exit.status)
  }

  /// A copy, close-on-exec, of the descriptor that the process calls `number` (pidfd_getfd). EBADF when it
  /// has none, EPERM without the right to trace it, ESRCH when it is gone.
  public func copyDescriptor(_ number: Int32) throws(SystemError) -> OwnedDescriptor {
    let raw = cfsr_process_copy_descriptor(descriptor.raw, number)
    return OwnedDescriptor(adopting: try check(raw, "pidfd_getfd", on: "descriptor \(number)"))
  }
}

/// How a process ended.
public enum ExitStatus: Equatable, Sendable {
  /// It left with this code.
  case exited(Int32)
  /// This signal ended it.
  case signaled(Int32)
}
