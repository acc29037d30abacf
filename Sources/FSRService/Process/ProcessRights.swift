internal import FSRHost
internal import FSRSystem

/// What a VMM may do beyond its user's rights, once its guest is set up.
///
/// Each process of a VM drops the rest for itself: what root executes has everything again, and what another user's
/// VMM executes gets what that VMM has kept. Root with these can still become what it was by executing something.
enum ProcessRights {
  /// Those that a VMM uses for as long as it lives, as far as it has them:
  ///
  /// - CAP_IPC_LOCK: to keep a reservation and the control blocks in memory beyond RLIMIT_MEMLOCK.
  /// - CAP_SYS_NICE: to give the threads of the switch real-time priority.
  private static let lasting: [Capabilities.Name] = [.ipcLock, .sysNice]
  /// Those that root's VMM also keeps, as files of others are in its way: folders of the path to its runtime folder, or
  /// to the executable that a handoff names.
  private static let root: [Capabilities.Name] = [.dacOverride]
  /// Those of root's VMM in the folder of another user, whose VMMs it may have to end, and whose files it removes.
  private static let foreign: [Capabilities.Name] = [.kill, .fowner]

  static func needed(in folder: borrowing VMFolder) -> [Capabilities.Name] {
    guard Host.effectiveUserID == 0 else { return lasting }
    let owner = (try? folder.directory.ownership())?.uid
    return lasting + root + (owner == 0 ? [] : foreign)
  }

  /// Drops everything else. Called while the process has one thread: the kernel keeps these rights by thread.
  static func dropRest(in folder: borrowing VMFolder) throws(SystemError) {
    try Capabilities.keepOnly(needed(in: folder))
  }
}
