public import FSRSystem

/// The kernel that this process runs on.
public final class LinuxWorld: HandoffWorld {
  public static let shared = LinuxWorld()

  private let clock: @Sendable () -> UInt64

  /// - Parameter clock: the monotonic clock, in nanoseconds.
  public init(clock: @escaping @Sendable () -> UInt64 = { MonotonicClock.now() }) { self.clock = clock }

  public var me: ProcessIdentity { .current() }
  public var namespace: PIDNamespace { .own }
  public var user: UInt32 { Host.effectiveUserID }

  public func now() -> UInt64 { clock() }

  public func draftNumber() -> UInt64 { MonotonicClock.now() }

  public func wait(_ wait: borrowing Wait) {
    let now = now()
    let timeout = wait.until > now ? wait.until - now : 0
    if wait.links.isEmpty, wait.processes.isEmpty {
      if let (block, state) = wait.word {
        block.wait(while: state, timeout: timeout)
      } else if let (block, seen) = wait.doorbell {
        block.park(since: seen, timeout: timeout)
      } else {
        MonotonicClock.sleep(timeout)
      }
      return
    }
    var poller = Poller()
    for link in wait.links { poller.watch(link.value.socket.descriptor, token: 0) }
    for process in wait.processes { process.watch(&poller, token: 0) }
    _ = try? poller.wait(timeout: timeout)
  }

  // MARK: other processes

  public func makeLinks() throws(HandoffError) -> LinkPair {
    do throws(SystemError) {
      let pair = try UnixSocket.pair()
      // The kernel then says with every message which process sent it.
      try pair.a.passSenderCredentials()
      try pair.a.setSendTimeout(HandoffLink.sendLimit)
      return LinkPair(ours: HandoffLink(prepared: pair.a), theirs: pair.b)
    } catch { throw .system(error) }
  }

  public func connect(in folder: borrowing Directory, timeout: UInt64) throws(SystemError) -> UnixSocket {
    try UnixSocket.connect(in: folder, name: VMFiles.socket, timeout: timeout)
  }

  public func start(_ launch: Launch, over end: borrowing UnixSocket) throws(SystemError) -> any PeerProcess {
    let number = end.descriptor.number
    return try LinuxPeer(
      try Capabilities.passingOn { () throws(SystemError) in
        try ChildProcess.spawn(
          executable: launch.executable, arguments: launch.arguments,
          environmentBytes: launch.environment + [DestinationStart.entry],
          inheriting: [ChildProcess.Inheritance(number, as: DestinationStart.number)], newSession: true)
      })
  }

  public func startSuccessor(
    _ launch: Launch, program: Int32?, logTo folder: borrowing Directory, over end: borrowing UnixSocket
  ) throws(SystemError) -> any PeerProcess {
    // Nothing of this process's own input and output goes to a VMM that outlives it.
    let null = try OwnedDescriptor.open("/dev/null", .read)
    // What the log cannot take is said to nobody: no successor is started for the sake of its log.
    let log = try Self.openLog(in: folder)
    return try LinuxPeer(
      try ChildProcess.spawn(
        executable: launch.executable, arguments: launch.arguments,
        environmentBytes: Environment.bytes + [DestinationStart.entry],
        inheriting: [
          ChildProcess.Inheritance(null.number, as: 0), ChildProcess.Inheritance(log.number, as: 1),
          ChildProcess.Inheritance(log.number, as: 2),
          ChildProcess.Inheritance(end.descriptor.number, as: DestinationStart.number),
        ], newSession: true, program: program))
  }

  private static func openLog(in folder: borrowing Directory) throws(SystemError) -> OwnedDescriptor {
    do throws(SystemError) { return try folder.openFile(VMFiles.log, .append) } catch {
      return try OwnedDescriptor.open("/dev/null", .append)
    }
  }

  public func open(_ identities: [ProcessIdentity]) throws(SystemError) -> (any PeerProcess)? {
    try LinuxPeer(identities)
  }

  public func isStopped(_ identity: ProcessIdentity) -> Bool { identity.isStopped }

  public func standstill(of identity: ProcessIdentity) -> Reason { identity.standstill }

  // MARK: locks and memory

  public func lock(_ folder: borrowing Directory) throws(HandoffError) -> VMLock.Attempt {
    try VMLock.attempt(in: folder)
  }

  public func lookAtLock(in folder: borrowing Directory) throws(HandoffError) -> VMLock.Look {
    try VMLock.look(in: folder)
  }

  public func makeMemory(_ name: String, size: UInt64) throws(SystemError) -> OwnedDescriptor {
    try Memfd.create(name: name, size: size)
  }

  public func map(_ memory: borrowing OwnedDescriptor, length: UInt64, writable: Bool) throws(SystemError)
    -> MappedRegion
  {
    let mapping = try MappedRegion(mapping: memory, length: length, writable: writable, populate: true)
    // The guest's registers are as much its own as its memory is.
    try mapping.excludeFromCoreDumps()
    return mapping
  }

  public func seal(_ memory: borrowing OwnedDescriptor) throws(SystemError) {
    try Memfd.sealAgainstWriting(memory)
  }

  public func writers(of bag: borrowing DescriptorBag, at places: [Int], besides others: Set<Int32>)
    throws(HandoffError) -> HandoffError?
  {
    try HandoffError.writers(of: bag, at: places, besides: others)
  }

  // MARK: faults

  public func commit(_ fault: FaultPlan.Kind) -> Bool {
    ProcessDescriptor.signalSelf(fault == .kill ? SignalNumber.kill : SignalNumber.stop)
    return true
  }
}
