internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRState
internal import FSRSystem
internal import Glibc
internal import Logging

/// The processes that run a VM: one that starts it, and one that is to take it over.
public enum VMMProcess {
  /// Whatever path it was started by.
  private static let name = "fsr"

  /// Becomes a VMM if this process was started as one, and never returns then.
  ///
  /// Whatever else it is to be: from here on a file that would be too long is an error like any other.
  public static func runIfAsked() {
    try? SignalAction.ignoreFileLimit()
    if let text = Environment.take(DestinationStart.variable) {
      ProcessName.set(name)
      exit(with: Result { try runDestination(socket(text)) })
    }
    if let text = Environment.take(VMStart.variable) {
      ProcessName.set(name)
      exit(with: Result { try runNew(socket(text)) })
    }
  }

  static func build() throws -> String { try BuildIdentity.ofExecutable(path: "/proc/self/exe") }

  /// Ends the process at once: memory and descriptors go with it, and nothing else is its own any more.
  static func leave() -> Never { _exit(0) }

  /// The same for a process whose guest is elsewhere.
  ///
  /// A service manager that could not make the next process the service's main one, as when that has died meanwhile, would
  /// take this end, were it a good one, for the guest's. A signal has it start the service again.
  static func leaveToSuccessor() -> Never {
    if NotifySocket(environment: Environment.bytes) != nil {
      ProcessDescriptor.signalSelf(SignalNumber.kill)
    }
    leave()
  }

  private static func socket(_ text: String) throws -> UnixSocket {
    guard let number = Int32(text), number > 2, number < 1 << 20 else {
      throw VMError(.usage, "\(DestinationStart.variable) names no descriptor")
    }
    // Inherited for this: a copy that is close-on-exec takes its place.
    let inherited = OwnedDescriptor(adopting: number)
    return UnixSocket(adopting: try inherited.duplicate())
  }

  /// - Parameter result: how the guest ended itself; nil where it went elsewhere, or the VM was stopped.
  private static func exit(with result: Result<GuestEnd?, any Error>) -> Never {
    switch result {
    case .success(let end): _exit(end?.exitStatus ?? 0)
    case .failure(let error):
      VMMLog.logger("vmm").error("\(error)")
      _exit(1)
    }
  }

  /// Lives on when whoever started it goes: a reader, a terminal, a session, the folder that it was in. Every path that
  /// it is given is absolute.
  private static func leaveSurroundings() throws {
    try SignalAction.ignoreSideMatters()
    // One that it may not leave is no reason not to run.
    try? Host.leaveWorkingDirectory()
  }

  private static func endingSignals() throws -> SignalDescriptor {
    try SignalDescriptor(signals: [SignalNumber.terminate, SignalNumber.interrupt])
  }

  // MARK: a destination

  private static func runDestination(_ socket: consuming UnixSocket) throws -> GuestEnd? {
    // Before it takes any memory: whoever has the guest is to keep it.
    var score = RaisedOOMScore(hasBallast: true)
    try leaveSurroundings()
    // As a successor it was started by a coordinator, which is one that makes way.
    if try Scheduling.policy(of: 0) == .batch { try Scheduling.setNormal(of: 0) }
    var signals: SignalDescriptor?
    let vmm = try takeOver(socket) {
      // While there is room for a look: who this process is stands in all that it writes down.
      try ProcessIdentity.establish()
      // Before any thread is started.
      signals = try endingSignals()
      return try ReferenceDestination(score: score.take())
    }
    guard let vmm, let signals = signals.take() else { return nil }
    return try vmm.run(signals: signals)
  }

  /// The VMM of the guest that came here; nil where it went elsewhere. What only the handoff needed is closed
  /// when this returns.
  ///
  /// - Parameter prepare: makes all that is needed for it.
  private static func takeOver(
    _ socket: consuming UnixSocket, _ prepare: () throws -> ReferenceDestination
  ) throws -> ReferenceVMM? {
    var limits = HandoffLimits()
    // A source waits until its service manager has heard of this process; killed before, it takes the service with it.
    if NotifySocket(environment: Environment.bytes) != nil { limits.reap = managerTimeout }
    let session = try DestinationSession(socket: socket, limits: limits, guest: prepare)
    let destination = session.guest
    destination.note(session.block)
    if let path = try? Executable.path() { session.block.noteExecutable(path, of: .destination) }
    switch session.run() {
    case .left:
      // Into the VM's log, where the source's side of it stands too.
      if let failure = session.failure { throw VMError(.other, "the guest did not come here: \(failure)") }
      return nil
    case .kept:
      guard let guest = destination.prepared, let event = destination.takeEvent() else {
        preconditionFailure("who keeps a guest has prepared one")
      }
      let vmm = ReferenceVMM(
        guest: guest, block: session.block, ending: destination.ending, build: destination.build,
        event: event, isSettling: true)
      let (block, build) = (session.block, session.sourceBuild)
      // Clients are answered meanwhile.
      let told = try? OSThread.start(name: "history", detached: true) {
        try? Scheduling.setBatch(of: 0)
        vmm.handoffWon(block, fromBuild: build)
      }
      if told == nil { vmm.handoffWon(block, fromBuild: build) }
      return vmm
    }
  }

  /// How long a service manager may leave a source waiting, in nanoseconds.
  private static let managerTimeout: UInt64 = 30_000_000_000

  /// Tells the service manager that this process is the service's main one, once `block` says that the guest is here, and
  /// the source does not say so: because it hangs.
  ///
  /// Of one that was killed the manager has seen the end, and ends the service, though not before a reload that is under
  /// way has ended: this process, were it the main one by then, would be ended with it. Where it is none the service is
  /// started again, and takes it up.
  static func tellManagerOnceHere(_ block: ControlBlock, log: Logger) {
    guard NotifySocket(environment: Environment.bytes) != nil else { return }
    let told = try? OSThread.start(name: "manager", detached: true) {
      while true {
        let state = block.state
        switch state {
        case .destination:
          guard sourceStays(block) else { return }
          return tellManager(
            "MAINPID=\(ProcessIdentity.current().pid)", log: log, while: { mayHaveSource(block) })
        case .resumed, .successor: return
        case .none, .destVerify, .source: block.wait(while: state, timeout: managerPollInterval)
        }
      }
    }
    if told == nil { log.warning("no thread is left for telling the service manager") }
  }

  /// How long a source may take to say who comes after it, and to end, in nanoseconds.
  private static let sourceTimeout: UInt64 = 5_000_000_000

  /// Whether the source lives on, though it has lost.
  private static func sourceStays(_ block: ControlBlock) -> Bool {
    let deadline = MonotonicClock.now() + sourceTimeout
    while mayHaveSource(block) {
      if MonotonicClock.now() >= deadline { return true }
      MonotonicClock.sleep(managerPollInterval)
    }
    return false
  }

  /// Whether the source may live by whose end the manager goes; a successor's block names none.
  private static func mayHaveSource(_ block: ControlBlock) -> Bool {
    switch block.life(of: .source) {
    case .lives, .unknown: true
    case .gone, nil: false
    }
  }

  /// How long it waits between two looks at a block, in nanoseconds.
  private static let managerPollInterval: UInt64 = 50_000_000

  /// Tells the service manager, if one started the VM, and returns once it has taken it, or `isWanted` says no.
  static func tellManager(
    _ assignments: String..., log: Logger, while isWanted: () -> Bool = { true }
  ) {
    guard let manager = NotifySocket(environment: Environment.bytes) else { return }
    let words = assignments.joined(separator: ", ")
    do throws(SystemError) {
      try manager.tell(
        assignments, while: isWanted,
        onDelay: { log.warning("the service manager takes no messages; tried until it does: \(words)") })
    } catch { log.warning("the service manager was not told \(words): \(error)") }
  }

  // MARK: a new VM

  private static func runNew(_ socket: consuming UnixSocket) throws -> GuestEnd? {
    try leaveSurroundings()
    let signals = try endingSignals()
    let starter = Owned(socket)
    do {
      let vmm = try makeVM(starter)
      // Before `fsr run` ends, which the service manager takes for the service until then.
      tellManager("READY=1", "MAINPID=\(ProcessIdentity.current().pid)", log: vmm.log)
      do { try starter.value.send(VMStartReply.running.encoded) } catch {
        // Nobody waits for this VM any more.
        let runtime = vmm.runtimeParts
        vmm.stopGuest(removing: true)
        if case .gone = Companion.find() { ReferenceVMM.removeEmpty(runtime) }
        throw error
      }
      vmm.log.notice("the guest runs in process \(ProcessIdentity.current().pid)")
      return try vmm.run(signals: signals)
    } catch {
      try? starter.value.send(VMStartReply.refused("\(error)").encoded)
      throw error
    }
  }

  private static func memory(_ configuration: VMConfiguration) throws -> GuestMemory {
    let nodes = configuration.nodes
    do {
      return try configuration.hasHugePages
        ? GuestMemory(hugePagesOf: configuration.memory, on: nodes)
        : GuestMemory(size: configuration.memory, on: nodes)
    } catch let error as MemoryError {
      throw VMError(.refused, "\(error)")
    }
  }

  /// What a guest needs that is larger than its memory; nil for one that is not.
  private static func paging(
    _ configuration: VMConfiguration, _ memory: GuestMemory, _ identity: MachineIdentity,
    _ folder: borrowing VMFolder
  ) throws -> GuestPaging? {
    guard let wish = configuration.paging else { return nil }
    do {
      // Written down first: whoever clears up after this VM finds what it has made.
      try folder.noteSwap(wish.swap)
      return try GuestPaging(
        starting: wish, memory: memory, reserve: configuration.reserve, vm: configuration.name,
        identity: identity)
    } catch {
      folder.forgetSwap()
      throw VMError(.refused, "\(configuration.name) cannot be paged: \(error)")
    }
  }

  private static func makeVM(_ starter: Owned<UnixSocket>) throws -> ReferenceVMM {
    try ProcessIdentity.establish()
    guard
      var received = try starter.value.receive(
        limit: UnixSocket.messageLimit, maximumDescriptors: 3, timeout: ReferenceVMM.requestLimit * 10)
    else { throw VMError(.other, "the starter is gone") }
    let start = try VMStart(decoding: received.bytes)
    guard let folderDescriptor = received.descriptors.take(0) else { throw VMError(.other, "no folder came") }
    let configuration = start.configuration
    let folder = VMFolder(name: configuration.name, directory: try Directory(adopting: folderDescriptor))
    // Before anything of it can be found.
    let presence = try VMPresence(in: folder)
    var image = SoakGuestImage.bytes
    if start.hasImage {
      guard let file = received.descriptors.take(1) else { throw VMError(.other, "no guest came") }
      do throws(SystemError) { image = try file.readAll(limit: VMStart.imageLimit) } catch {
        throw VMError(.refused, "the guest cannot be read: \(error); name an ELF file with --guest")
      }
    }
    // A copy: the file may be another one by the time the guest is reset.
    let kept = try Memfd.create(name: "fsr-image", size: UInt64(image.count))
    try kept.write(image)
    var console: Owned<OwnedDescriptor>?
    if start.hasConsole, let file = received.descriptors.take(start.hasImage ? 2 : 1) {
      console = Owned(file)
    }

    let ending = GuestEnding()
    let ports = try GuestPorts.open(start.ports, in: folder)
    let listener = try UnixSocket.listen(in: folder.directory, name: VMFiles.socket)
    let placement = try GuestPlacement(configuration.nodes)
    // Ahead of everything that is allocated for the guest.
    try placement.settleThread()
    var random = SystemRandomNumberGenerator()
    let identity = MachineIdentity.random(using: &random)
    // Ahead of everything that is made elsewhere for this machine.
    try folder.writeMark(of: identity)
    let memory = try memory(configuration)
    let guest = try ReferenceGuest(
      configuration, memory: memory, paging: try paging(configuration, memory, identity, folder),
      console: try ConsoleBuffer(), consoleFile: console, image: Owned(kept), ports: ports,
      listener: listener,
      folder: try folder.duplicate(), presence: presence, placement: placement
    ) { ending.note($0) }
    // Set up; and no thread has been started yet. The guest's memory may need one of its own from here on.
    try VMMRights.dropRest(in: folder)
    try guest.paging?.start(isToWait: false)
    do { try guest.boot(image) } catch {
      throw VMError(.refused, "the guest cannot be loaded: \(error) (--guest takes an ELF for RISC-V)")
    }
    let block = try firstBlock(folder, identity)
    try presence.keepBlocks(of: folder)
    if configuration.reserve > 0 {
      // Promised first, and locked only then.
      try VMReservation(of: folder).reserve(
        configuration.reserve, on: configuration.nodes, machine: block.machine)
      try guest.memory.reserve(configuration.reserve)
    }
    try guest.threads.start(machine: guest.machine, cpus: guest.cpus)
    let vmm = ReferenceVMM(
      guest: guest, block: block, ending: ending, build: try build(), event: try EventDescriptor())
    guard case .made = block.claim(.destination, by: .destination) else {
      throw VMError(.other, "somebody called the start off")
    }
    block.passFirst(.entered, at: MonotonicClock.now())
    guest.threads.resume()
    // There is no loser to be seen gone, and no handoff to tell of.
    for mark in [TimelineMark.reaped, .reported] { block.pass(mark, at: MonotonicClock.now()) }
    return vmm
  }

  /// The block in which a VM begins: its VMM takes the guest from nobody.
  private static func firstBlock(_ folder: borrowing VMFolder, _ identity: MachineIdentity) throws
    -> ControlBlock
  {
    var random = SystemRandomNumberGenerator()
    do {
      let blocks = try folder.makeBlocks(using: &random)
      let block = try blocks.create(
        attempt: 1, generation: 0, machine: identity, state: .destVerify)
      block.enroll(.destination, as: ProcessIdentity.current())
      block.introduce(.destination)
      try blocks.publish(block)
      return block
    } catch {
      throw VMError(.refused, "its control blocks cannot be made in \(folder.path) or /dev/shm: \(error)")
    }
  }
}
