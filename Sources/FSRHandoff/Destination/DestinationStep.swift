/// Everything a destination does, in the order of a good handoff; then what it does when it loses.
public enum DestinationStep: String, CaseIterable, Hashable, Sendable {
  /// Answers what both can do, or refuses.
  case negotiate
  /// Maps memory, makes vCPUs and devices, parks the vCPU threads.
  case prepare
  /// Says prepared, and waits for a complete checkpoint.
  case awaitComplete
  /// Moves the word to `destVerify`.
  case claimVerify
  /// Waits for every other VMM's released flag or end; kills the one that gives neither.
  case fence
  /// Takes the exclusive locks.
  case takeStorage
  /// Copies the checkpoint once, checks and parses the copy, and loads it.
  case verify
  /// Moves the word to `destination`.
  case claimDestination
  /// Lets the vCPUs run.
  case resume
  /// Waits for every loser to be gone; kills the one that is late.
  case reap
  /// Accepts on the control socket, writes owner and history, tells the coordinator.
  case publish
  /// The handoff is over and the guest is here.
  case keep

  /// Moves the word to `source`, if that lives.
  case giveBack
  /// Drops locks and says released.
  case release
  /// Waits, with all descriptors, for the newest block to be decided.
  case park
  /// The handoff is over and the guest is elsewhere: the process ends.
  case leave
}
