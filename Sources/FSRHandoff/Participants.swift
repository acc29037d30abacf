public import FSRState
public import FSRSystem

/// A VMM that runs a guest and can give it away: what a source session asks of it.
public protocol HandoffSource: GuestSource {
  /// This executable's build.
  var build: String { get }
  /// How a destination of this very build is started; another build's, with the same arguments.
  var launch: Launch { get }
  /// The handoff ended and the guest is still here. On the session's thread, last.
  func finished(_ block: ControlBlock, because reason: Reason?)
}

/// A guest that can be given away: what is asked of it, in this order.
///
/// None of it has a default: a VMM that forgets one does not compile.
public protocol GuestSource: AnyObject, Sendable {
  /// Every section that `save` will write, with its version.
  var sectionVersions: [SectionVersion] { get }
  /// What the guest consists of, and duplicates of its descriptors in the order of the manifest's slots. Asked before
  /// anything is begun: what it throws, and what is seen of its descriptors then, refuses the handoff.
  func describe() throws -> GuestDescription
  /// Begins to copy what goes over by copying, and goes on with it; asked again and again, without waiting, until it
  /// stands. Undone by `resume`.
  func precopy() throws -> Precopy
  /// Stops what writes on its own while the guest still runs; asked again and again, without waiting, until it is quiet.
  /// Undone by `resume`.
  ///
  /// - Returns: whether it is quiet.
  func quiesce() throws -> Bool
  /// Asks the vCPUs to stop. The thread that stops last calls `switchover`, once, and parks when it returns.
  func stun(_ switchover: @escaping @Sendable () -> Void)
  /// What keeps the guest from coming to rest, where that is not its vCPUs; nil where it is. Asked of a stun that is late,
  /// before it is taken back.
  var hindrance: String? { get }
  /// Takes a stun back that has not come to its switchover; false when that has begun.
  func cancelStun() -> Bool
  /// Ends what devices have under way, and sees that none touches the guest's memory until `resume`. Runs in the stun, on
  /// the vCPU thread that stopped last, ahead of `save`: no vCPU asks for anything new, and what answers a touch of memory
  /// still does, so that a device that waits for a page gets it. What it throws calls the handoff off.
  func drainDevices() throws
  /// Brings what answers touches of memory to rest, and writes all sections, straight into the shared memory. Runs in the
  /// stun, behind `drainDevices`: it neither allocates nor waits without need.
  func save(to checkpoint: inout CheckpointWriter) throws
  /// Unlocks and closes what only one process may hold.
  func releaseStorage()
  /// Takes it again; false when it is not to be had yet.
  func reacquireStorage() -> Bool
  /// Lets the vCPUs run on, from where they were stopped or were about to be.
  func resume()
  /// Gives up locks and ports: the guest is elsewhere.
  func relinquish()
}

/// A VMM that is to take a guest: what a destination session asks of it.
public protocol HandoffDestination: GuestDestination {
  /// The sections that `load` reads, with the newest version of each.
  var sectionVersions: [SectionVersion] { get }
  /// This executable's build.
  var build: String { get }
  /// Maps memory, makes vCPUs and devices, and parks the vCPU threads; the first calls `leadSwitch` of
  /// `session`, the others wait for `resume`.
  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws
  /// The guest is here, and runs. Losers may not be gone yet.
  func arrived()
  /// The guest is here: accept on the control socket, write owner and history.
  func finished(_ block: ControlBlock)
}

/// A guest that is to come, whose vCPU threads are parked: what is asked of it, in this order.
public protocol GuestDestination: AnyObject, Sendable {
  /// Goes through `load` with a state that means nothing, on the thread that will load: just before the stun.
  func rehearse()
  /// Takes the exclusive locks; false when they are not to be had yet.
  func takeStorage() -> Bool
  /// Checks and loads the state of the checkpoint.
  func load(_ checkpoint: Checkpoint) throws
  /// Lets the parked vCPU threads enter the guest. The calling thread is the first of them.
  func resume()
  /// Sends the parked threads home: the guest is elsewhere.
  func abandon()
}

/// What a destination's first vCPU thread calls, or the loop of a VMM that parks none.
public protocol SwitchLeader: AnyObject, Sendable {
  /// Whether there is no other VMM that could go on with the guest: a refusal may lose it.
  var isSuccessor: Bool { get }
  /// Says how far `prepare` is, in bytes.
  func progressed(_ done: UInt64, of total: UInt64)
  /// Parks until the guest is to run here or not at all, doing all of the switch on the calling thread, so
  /// that it enters the guest without waking another. Answers whether to enter.
  func leadSwitch() -> Bool
  /// The same without parking: does what can be done now, and answers what is to be waited for. Whoever calls it leads,
  /// and calls it until the answer is no wait.
  func advanceSwitch() -> SwitchState
  /// Parks until the switch begins, or is not to come. For vCPU threads that have a processor of their own:
  /// they are up, waiting for `resume`, by the time the first one has done the switch.
  func followSwitch()
}

/// How far the switch is.
public enum SwitchState: Sendable {
  case waits(Wait)
  /// The guest is to run here.
  case enter
  /// It is not.
  case leave
}
