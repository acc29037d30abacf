/// Why something was refused, called off or lost, for a program: it travels beside the words, in messages and in control
/// blocks.
///
/// The numbers are the protocol's and stay. A number that is not known here is read as none.
public enum ReasonCode: UInt32, CaseIterable, Hashable, Sendable {
  /// The two builds have no protocol or no state section in common.
  case version = 1
  /// A capability or a permission is missing.
  case rights = 2
  /// A limit of the process is too low (getrlimit(2)).
  case limits = 3
  /// The host has too little of what was asked for: memory, huge pages, room on a disk, room in the ledger.
  case headroom = 4
  /// Something that must be held alone is held by another process.
  case locks = 5
  /// It took longer than the caller allows.
  case deadline = 6
  /// A file that goes with the VM is open for writing in another process.
  case writers = 7
  /// Another process could not use a descriptor that goes with the VM.
  case descriptor = 8
  /// A swap file cannot be used as it was asked for.
  case swap = 9
  /// The guest waits for a page of its memory that cannot be brought in.
  case page = 10
  /// Something else is under way with the VM that ends by itself: a handoff, a check.
  case busy = 11
  /// A trial came as far as it was to, and nothing stood in its way.
  case tried = 12
  /// Somebody asked for the end of the handoff.
  case aborted = 13
  /// A signal interrupted whoever coordinates it.
  case interrupted = 14
  /// The VM was told to stop.
  case stopping = 15
  /// The guest has ended itself.
  case guestEnded = 16
  /// Nobody is left who could run the guest.
  case lost = 17
  /// An earlier handoff of the VM has not come to its end.
  case unsettled = 18
  /// There never was a VMM of that VM.
  case neverStarted = 19
  /// The VMM of that VM has no such thing.
  case unsupported = 20
}

extension ReasonCode {
  /// What answers and histories call it.
  public var name: String { "\(self)" }
}
