/// What to say of a process that does not do its part.
extension ProcessIdentity {
  /// Whether a signal has stopped it, as SIGSTOP does; false also where it is gone.
  public var isStopped: Bool {
    guard let text = try? OwnedDescriptor.open("/proc/\(pid)/stat", .read).readAll(limit: 65536),
      let (state, startTime) = Self.parse(stat: text)
    else { return false }
    return state == UInt8(ascii: "T") && startTime == self.startTime
  }

  /// Why it does nothing, as far as can be seen.
  public var standstill: Reason {
    isStopped
      ? Reason("process \(pid) was stopped by a signal", remedy: "`kill -CONT \(pid)` lets it go on")
      : Reason(
        "process \(pid) does not answer",
        remedy: "`ps -o pid,stat,wchan:32,args -p \(pid)` shows what it waits for")
  }
}
