import FSRHandoff
import FSRSystem
import Synchronization

/// The kernel, for a session that is driven by `advance` alone: whoever waits in it is told to leave.
final class PatientWorld: HandoffWorld {
  /// Takes the end of a destination's socket in the place of a process that is started.
  typealias Starting = @Sendable (borrowing UnixSocket) throws(SystemError) -> any PeerProcess

  private let linux = LinuxWorld()
  private let stand: ProcessIdentity?
  private let starting: Starting?
  private let committing: (@Sendable () -> Void)?

  /// - Parameters:
  ///   - stand: the process that stands for this party; nil for the one that the test runs in.
  ///   - committing: commits a fault against that process, which then goes on no more.
  init(
    as stand: ProcessIdentity? = nil, starting: Starting? = nil, committing: (@Sendable () -> Void)? = nil
  ) {
    self.stand = stand
    self.starting = starting
    self.committing = committing
  }

  func wait(_ wait: borrowing Wait) { preconditionFailure("a session that is advanced does not wait") }

  var me: ProcessIdentity { stand ?? linux.me }
  var namespace: PIDNamespace { linux.namespace }
  var user: UInt32 { linux.user }
  func now() -> UInt64 { linux.now() }
  func draftNumber() -> UInt64 { linux.draftNumber() }
  func makeLinks() throws(HandoffError) -> LinkPair { try linux.makeLinks() }

  func connect(in folder: borrowing Directory, timeout: UInt64) throws(SystemError) -> UnixSocket {
    precondition(timeout == 0, "a session that is advanced does not wait for others at a socket")
    return try linux.connect(in: folder, timeout: timeout)
  }

  func start(_ launch: Launch, over end: borrowing UnixSocket) throws(SystemError) -> any PeerProcess {
    if let starting { return try starting(end) }
    return try linux.start(launch, over: end)
  }

  func startSuccessor(
    _ launch: Launch, program: Int32?, logTo folder: borrowing Directory, over end: borrowing UnixSocket
  ) throws(SystemError) -> any PeerProcess {
    if let starting { return try starting(end) }
    return try linux.startSuccessor(launch, program: program, logTo: folder, over: end)
  }

  func open(_ identities: [ProcessIdentity]) throws(SystemError) -> (any PeerProcess)? {
    try linux.open(identities)
  }

  func isStopped(_ identity: ProcessIdentity) -> Bool { linux.isStopped(identity) }
  func standstill(of identity: ProcessIdentity) -> Reason { linux.standstill(of: identity) }
  func lock(_ folder: borrowing Directory) throws(HandoffError) -> VMLock.Attempt { try linux.lock(folder) }

  func lookAtLock(in folder: borrowing Directory) throws(HandoffError) -> VMLock.Look {
    try linux.lookAtLock(in: folder)
  }

  func makeMemory(_ name: String, size: UInt64) throws(SystemError) -> OwnedDescriptor {
    try linux.makeMemory(name, size: size)
  }

  func map(_ memory: borrowing OwnedDescriptor, length: UInt64, writable: Bool) throws(SystemError)
    -> MappedRegion
  {
    try linux.map(memory, length: length, writable: writable)
  }

  func seal(_ memory: borrowing OwnedDescriptor) throws(SystemError) { try linux.seal(memory) }

  func writers(of bag: borrowing DescriptorBag, at places: [Int], besides others: Set<Int32>)
    throws(HandoffError) -> HandoffError?
  {
    try linux.writers(of: bag, at: places, besides: others)
  }

  func commit(_ fault: FaultPlan.Kind) -> Bool {
    guard let committing else { return linux.commit(fault) }
    committing()
    return false
  }
}
