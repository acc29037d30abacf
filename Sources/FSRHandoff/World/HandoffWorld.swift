public import FSRSystem

/// All that a session asks of the kernel. `LinuxWorld` is the one there is; a simulation is another.
///
/// Descriptors, sockets and mappings are real in every world: what has one owner closes itself. A world says which
/// process is which, what time it is, and how long to wait.
public protocol HandoffWorld: AnyObject, Sendable {
  // MARK: who asks

  /// This process, as others find it.
  var me: ProcessIdentity { get }
  /// The PID namespace that its number is of.
  var namespace: PIDNamespace { get }
  /// The user whose rights it has.
  var user: UInt32 { get }

  // MARK: time

  /// The monotonic clock, in nanoseconds.
  func now() -> UInt64
  /// Sleeps until something of `wait` has come, or for no reason.
  func wait(_ wait: borrowing Wait)
  /// A number that no draft of a block on this host has had.
  func draftNumber() -> UInt64

  // MARK: other processes

  /// Two connected ends: one to keep, which is told who sends what, and one for a process that is started.
  func makeLinks() throws(HandoffError) -> LinkPair
  /// Connects to the control socket in a VM's folder. ETIMEDOUT where those that wait there leave no room for
  /// `timeout` nanoseconds.
  func connect(in folder: borrowing Directory, timeout: UInt64) throws(SystemError) -> UnixSocket
  /// Starts a destination that has `end`, and this process's output and rights.
  func start(_ launch: Launch, over end: borrowing UnixSocket) throws(SystemError) -> any PeerProcess
  /// Starts a VMM that outlives this process, in this one's environment: it has `end`, nothing of this process's input
  /// and output, and writes to the log in `folder`.
  ///
  /// - Parameter program: the number of a descriptor whose file is executed in the place of the launch's.
  func startSuccessor(
    _ launch: Launch, program: Int32?, logTo folder: borrowing Directory, over end: borrowing UnixSocket
  ) throws(SystemError) -> any PeerProcess
  /// Opens exactly the processes that `identities`, of this PID namespace, name: one party. Nil when all are gone.
  ///
  /// - Throws: `SystemError` where it cannot be told.
  func open(_ identities: [ProcessIdentity]) throws(SystemError) -> (any PeerProcess)?
  /// Whether a signal has stopped the process.
  func isStopped(_ identity: ProcessIdentity) -> Bool
  /// Why a process does nothing, as far as can be seen.
  func standstill(of identity: ProcessIdentity) -> Reason

  // MARK: locks and memory

  /// Tries for the lock in a VM's folder, without waiting.
  func lock(_ folder: borrowing Directory) throws(HandoffError) -> VMLock.Attempt
  /// Looks who has that lock.
  func lookAtLock(in folder: borrowing Directory) throws(HandoffError) -> VMLock.Look
  /// Makes shared memory whose size stays.
  func makeMemory(_ name: String, size: UInt64) throws(SystemError) -> OwnedDescriptor
  /// Maps such memory, all of it present, and in no core dump.
  func map(_ memory: borrowing OwnedDescriptor, length: UInt64, writable: Bool) throws(SystemError)
    -> MappedRegion
  /// Forbids every further write to such memory; EBUSY while somebody has it mapped for writing.
  func seal(_ memory: borrowing OwnedDescriptor) throws(SystemError)
  /// What refuses a handoff because other processes have some of the files in `bag` open for writing; nil where none is
  /// seen.
  ///
  /// - Parameters:
  ///   - places: of the files in `bag`.
  ///   - others: processes that may write.
  func writers(of bag: borrowing DescriptorBag, at places: [Int], besides others: Set<Int32>)
    throws(HandoffError) -> HandoffError?

  // MARK: faults

  /// Commits a fault against this process. Answers whether it goes on now.
  func commit(_ fault: FaultPlan.Kind) -> Bool
}

/// The two ends of a connection that is made for a process which is started.
@frozen public struct LinkPair: ~Copyable, Sendable {
  public var ours: HandoffLink
  public var theirs: UnixSocket

  public init(ours: consuming HandoffLink, theirs: consuming UnixSocket) {
    self.ours = ours
    self.theirs = theirs
  }
}

extension HandoffWorld {
  /// Whether a number of `namespace` means the same here. Where one of the two is not known nothing says otherwise.
  func sees(_ namespace: PIDNamespace) -> Bool { namespace.number == 0 || namespace == self.namespace }
}
