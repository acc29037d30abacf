internal import CFSRLinux
internal import Glibc

/// Exclusive locks of a whole file, which belong to the open file description (F_OFD_SETLK): a duplicate of
/// the descriptor holds the same lock, and it lives until it is unlocked or the last duplicate is closed.
extension OwnedDescriptor {
  /// Takes the lock if nobody has it; never waits. The descriptor is open for writing, else EBADF.
  public func tryLock() throws(SystemError) -> Bool {
    let answer = cfsr_lock_file(raw)
    if answer == -EAGAIN || answer == -EACCES { return false }
    try check(answer, "fcntl F_OFD_SETLK", on: subject)
    return true
  }

  /// Whether another open file description holds the lock, without taking it.
  public func isLockedElsewhere() throws(SystemError) -> Bool {
    try check(cfsr_file_is_locked(raw), "fcntl F_OFD_GETLK", on: subject) == 1
  }

  /// Gives the lock back; nothing happens without one.
  public func unlock() throws(SystemError) {
    try check(cfsr_unlock_file(raw), "fcntl F_OFD_SETLK", on: subject)
  }
}
