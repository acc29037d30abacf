/// Everything a source does in a handoff, in the order of a good one; then what it does when it keeps the
/// guest, and what it does when it loses it.
public enum SourceStep: String, CaseIterable, Hashable, Sendable {
  /// Gives the control block its name, which makes it the VM's newest.
  case publishBlock
  /// Starts the destination's process.
  case startDestination
  /// Agrees with the destination on protocol, features and section versions.
  case negotiate
  /// Sends memory layout, descriptors and static state, to the destination and to the coordinator.
  case sendManifest
  /// Waits for the destination's prepared, and for the coordinator's word that it holds its copies or its death.
  case awaitPrepared
  /// Copies what goes over by copying, while the guest runs.
  case precopy
  /// Stops what writes on its own while the guest still runs.
  case quiesce
  /// Stops the vCPUs.
  case stun
  /// Writes the sections of the checkpoint.
  case saveCheckpoint
  /// Unlocks and closes what only one process may hold.
  case releaseStorage
  /// Says complete: its last write.
  case complete
  /// Wakes the destination's parked threads.
  case wake
  /// Waits on the word, up to the deadline of the stun.
  case race

  /// Moves the word to `source`.
  case claimSource
  /// Waits until the destination has released or is gone; kills it when it gives neither.
  case fence
  /// Takes back what `releaseStorage` gave away.
  case takeBack
  /// Moves the word to `resumed`.
  case claimResumed
  /// Lets the vCPUs run.
  case resume
  /// Waits for the destination to be gone; kills it when it is late.
  case reap
  /// Tells the coordinator, and writes the history.
  case report
  /// The handoff is over and the guest is here.
  case keep

  /// Drops locks and says released.
  case release
  /// Waits, with all descriptors, for the newest block to be decided.
  case park
  /// The handoff is over and the guest is elsewhere: the process ends.
  case leave
}
