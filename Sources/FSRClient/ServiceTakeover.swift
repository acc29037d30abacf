internal import FSRHost
internal import FSRSystem

/// A VM that is a service, for a command that the service manager has started.
///
/// A manager takes a service for ended when its main process ends. Where that is the source of a handoff, killed before the
/// manager has heard who comes after it, the guest runs on in another process; started again, the service takes that up.
enum ServiceTakeover {
  /// How long a handoff may leave it open who runs the guest, in nanoseconds, and how long between two looks.
  private static let settleLimit: UInt64 = 10_000_000_000
  private static let settlePollInterval: UInt64 = 20_000_000

  /// Tells the service manager of the process that runs the VM, where that belongs to the same service as this one.
  ///
  /// - Returns: its number; nil where no manager has started this process, or the service has no VM that runs.
  static func takeUp(_ folder: borrowing VMFolder) throws(VMError) -> Int32? {
    guard !folder.isNew, let manager = NotifySocket(environment: Environment.bytes),
      let group = ServiceGroup.own, let owner = try owner(of: folder), ServiceGroup(of: owner.pid) == group
    else { return nil }
    do throws(SystemError) { try manager.tell(["READY=1", "MAINPID=\(owner.pid)"]) } catch {
      throw VMError(.other, "the service manager was not told that \(folder.name) runs: \(error)")
    }
    return owner.pid
  }

  private static func owner(of folder: borrowing VMFolder) throws(VMError) -> VMClient.Owner? {
    let deadline = MonotonicClock.now() + settleLimit
    while try folder.readEnded() == nil {
      switch try VMClient.ownership(of: folder) {
      case .owner(let owner): return owner
      case .hidden, .nobody: return nil
      case .undecided:
        guard MonotonicClock.now() < deadline else { return nil }
        MonotonicClock.sleep(settlePollInterval)
      }
    }
    return nil
  }
}
