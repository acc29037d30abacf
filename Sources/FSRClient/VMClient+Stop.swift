public import FSRHandoff
public import FSRHost
internal import FSRMemory
public import FSRSystem

/// Ending a VM, and what is said of one that has ended.
extension VMClient {
  /// Ends the VM, whatever state it and its files are in, and returns when nothing of it is left: every process of it, and
  /// whatever works for those.
  ///
  /// - Parameters:
  ///   - limits: how long somebody who hangs is waited for.
  ///   - now: the monotonic clock, in nanoseconds.
  /// - Throws: `VMError` where a process cannot be ended, or is not known; it says which.
  public static func stop(
    _ folder: borrowing VMFolder, limits: HandoffLimits = HandoffLimits(),
    now: @escaping () -> UInt64 = MonotonicClock.now
  ) throws(VMError) {
    try VMStopper(limits: limits, now: now).stop(folder)
  }

  /// Of a process that was killed and stays: the kernel has it wait.
  static func survivor(_ process: ProcessIdentity, of name: String) -> VMError {
    VMError(
      .other,
      "process \(process.pid) of \(name) was killed and has not ended: the kernel has it wait, for a disk mostly, or it is "
        + "frozen; `ps -o pid,stat,wchan:32 -p \(process.pid)` shows for what, and `fsr stop \(name)` goes on once that is over"
    )
  }

  /// The VM is no more: nobody of it lives. A ledger that cannot be changed keeps a record that is free to take.
  static func forgetReservation(_ folder: borrowing VMFolder) {
    guard let reservation = try? VMReservation(of: folder), let record = try? reservation.record() else {
      return
    }
    try? reservation.remove(machine: record.machine)
  }

  /// Why a VM is not there any more that a command was about: its guest has ended, or it was stopped; nil where it is.
  public static func departure(of folder: borrowing VMFolder) -> VMError? {
    do throws(VMError) {
      try folder.checkGuestIsThere()
      if !folder.isRemoved, try newestBlock(of: folder) != nil { return nil }
    } catch { return error.kind == .noSuchVM ? error : nil }
    return absence(of: folder)
  }
}
