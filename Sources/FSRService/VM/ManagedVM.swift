public import FSRHandoff
public import FSRHost
public import FSRMemory
public import FSRState
public import FSRSystem

/// A VM of any VMM, as the process that serves it needs it: one object, which is the guest in this process.
///
/// The service has the rest: the VM's folder and control socket, its control blocks, both halves of a handoff, history,
/// log, the ledger of reservations, the service manager, the process's start and end. What a VMM can do beyond this it
/// says by the roles that its VM has (`PausableVM`, `ConsoleVM`, `FileWritingVM`, `RestartingVM`, `GapMeasuringVM`); who asks for
/// something else is told that this VMM has no such thing.
///
/// In this order:
///
/// - a new VM: `init(new:_:)`, `boot`, `resume`, `begin`;
/// - one that comes: `init(adopting:_:)`, `mapPresentPages`, `park`, then what `GuestDestination` asks, `begin`;
/// - one that goes: `source`, then what `GuestSource` asks; `handoffCameToNothing` where it did;
/// - at the end: `halt`, and `removeFiles` where the VM was stopped.
public protocol ManagedVM: GuestDestination {
  /// The sections that `load` reads, with the newest version of each; all older ones are read too.
  static func readableSections() throws -> [SectionVersion]

  /// Where to say something of the VM `name`, or before its name is known of what `name` says.
  static func log(_ name: String) -> ServiceLog

  /// Makes a VM whose guest has never run, with all that is needed from the host, and no thread.
  ///
  /// - Throws: what keeps it from starting; the starter is told, and the VM's folder is removed.
  init(new: consuming NewVM, _ context: VMContext) throws

  /// Makes the VM of a guest that comes from another process, from what its `GuestSource` described, and no thread.
  ///
  /// - Throws: what keeps it from coming here: the handoff is called off, and the guest runs on in the source.
  init(adopting description: consuming GuestDescription, _ context: VMContext) throws

  var facts: VMFacts { get }

  /// On which of the host's processors its vCPUs enter, the first vCPU's first; empty where nobody sees to that.
  var processors: [Int] { get }

  /// The guest's RAM: sealed memfds that both processes of a handoff map.
  var memory: GuestMemory { get }

  /// Brings a guest that has never run to where `resume` lets it in: loaded, its vCPU threads parked.
  func boot() throws

  /// Maps pages of a guest that comes which are there already, so that it need not wait for them here.
  func mapPresentPages(progress: (UInt64) -> Void) throws

  /// Parks the vCPU threads of a guest that comes: the first calls `leadSwitch` of `leader`, the others `followSwitch`.
  /// What else may fail is done here too, while the guest still runs in the source.
  func park(_ leader: any SwitchLeader) throws

  /// Starts what works beside the guest, which runs here already. What fails is said in the log: there is no way back.
  func begin()

  /// What gives the guest away by `plan`. Any thread's; nothing is stopped yet.
  ///
  /// - Throws: why a handoff by this plan cannot be: it is refused, and nothing was begun.
  func source(for plan: HandoffPlan) throws -> any GuestSource

  /// A handoff came to nothing, and the guest is here: what was made for its destination alone may go. Any thread's.
  func handoffCameToNothing()

  /// The guest has come here, and its former VMM is gone or has lost: what that has left may go. Any thread's.
  func cameHere()

  /// Adds to a report what this VMM knows of the guest.
  func report(into facets: inout VMReport.Facets)

  /// Has the guest stand for good, and gives up what only one VMM may hold.
  func halt()

  /// Removes files that were made for this VM and are not in its folder: it was stopped.
  func removeFiles()
}

/// A VM whose guest can be stopped and let run again without a handoff; so it travels.
public protocol PausableVM: ManagedVM {
  var isPaused: Bool { get }

  /// Stops all vCPUs. `late` where they have not stopped after `limit` nanoseconds, and run on.
  func pause(limit: UInt64) -> PauseAnswer

  /// Lets them run.
  func unpause() -> PauseAnswer
}

/// A VM with a console whose memory clients read and write themselves.
public protocol ConsoleVM: ManagedVM {
  /// A duplicate of its descriptor.
  func consoleMemory() throws -> OwnedDescriptor

  /// The guest has ended itself: writes what it has said, as long as `isWanted` says so, and leaves `end` in the console's
  /// memory.
  func finishConsole(_ end: GuestEnd, while isWanted: () -> Bool)
}

/// A VM that writes files which nobody else is to write meanwhile.
public protocol FileWritingVM: ManagedVM {
  /// Duplicates of their descriptors. A client may see more of the host's processes than a VMM that has dropped its rights.
  func writtenFiles() throws -> DescriptorBag
}

/// A VM whose guest can be started anew after it has asked for a reset.
public protocol RestartingVM: ManagedVM {
  /// Whether that can be done now.
  var canRestart: Bool { get }

  /// Starts it anew. `isWanted` is asked when all vCPUs stand and the guest is as new, before one of them runs, once; where
  /// it says no they stand on.
  ///
  /// - Parameter limit: nanoseconds for the vCPUs to stand.
  func restart(limit: UInt64, if isWanted: () -> Bool) -> RestartOutcome
}

/// What came of starting a guest anew.
public enum RestartOutcome: Sendable {
  case done
  /// The vCPUs do not stand yet.
  case late
  /// It cannot be, or is not wanted.
  case failed
}

/// A VM whose guest measures for how long it was stopped.
public protocol GapMeasuringVM: ManagedVM {
  /// The longest gap of the last handoff that the guest has seen, in microseconds; nil where it saw none. Waits for the guest
  /// to look.
  func measureGap() -> UInt64?
}
