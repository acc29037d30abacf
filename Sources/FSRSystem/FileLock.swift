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

/// Locks of single bytes, which belong to the open file description too; a byte need not be in the file.
extension OwnedDescriptor {
  public enum LockKind: Sendable {
    /// Beside other shared ones; the descriptor is open for reading.
    case shared
    /// Alone; the descriptor is open for writing.
    case exclusive

    var number: Int32 { Int32(self == .shared ? CFSR_SHARED.rawValue : CFSR_EXCLUSIVE.rawValue) }
  }

  /// Takes the lock of the byte at `offset`, or changes the kind of one that is held, in one step; never waits.
  /// False where another open file description is in the way.
  public func tryLock(byte offset: UInt64, _ kind: LockKind) throws(SystemError) -> Bool {
    let answer = cfsr_lock_byte(raw, offset, kind.number)
    if answer == -EAGAIN || answer == -EACCES { return false }
    try check(answer, "fcntl F_OFD_SETLK", on: subject)
    return true
  }

  /// Gives the lock of the byte at `offset` back; nothing happens without one.
  public func unlock(byte offset: UInt64) throws(SystemError) {
    try check(cfsr_lock_byte(raw, offset, Int32(CFSR_UNLOCKED.rawValue)), "fcntl F_OFD_SETLK", on: subject)
  }

  /// Whether another open file description has the byte at `offset` locked, in whatever process and namespace;
  /// whoever has it is not disturbed.
  public func isLockedElsewhere(byte offset: UInt64) throws(SystemError) -> Bool {
    var holder: Int32 = -1
    // SAFETY: written by the call alone.
    return try check(unsafe cfsr_byte_is_locked(raw, offset, &holder), "fcntl F_OFD_GETLK", on: subject) == 1
  }

  /// Takes, as a cleaner of old files does, the lock of the other kind (flock(2)) for this opening alone, which its end
  /// gives back; false where somebody says by a shared one that it is in use.
  public func tryLockAsCleaner() throws(SystemError) -> Bool {
    let answer = cfsr_flock_alone(raw)
    if answer == -EAGAIN { return false }
    try check(answer, "flock", on: subject)
    return true
  }

  /// Takes a shared lock of the other kind (flock(2)), which cleaners of old files look for before they enter a
  /// directory; false where one is at work there.
  public func tryShareWithCleaners() throws(SystemError) -> Bool {
    let answer = cfsr_share_flock(raw)
    if answer == -EAGAIN { return false }
    try check(answer, "flock", on: subject)
    return true
  }

  /// The process that has locked the byte at `offset`, where the lock tells: one of an open file description
  /// has no process.
  public func lockHolder(byte offset: UInt64) throws(SystemError) -> Int32? {
    var holder: Int32 = -1
    // SAFETY: written by the call alone.
    let isLocked = try check(
      unsafe cfsr_byte_is_locked(raw, offset, &holder), "fcntl F_OFD_GETLK", on: subject)
    return isLocked == 1 && holder > 0 ? holder : nil
  }
}
