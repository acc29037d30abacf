internal import FSRHandoff
internal import FSRHost
internal import FSRMemory
internal import FSRState
internal import FSRSystem

/// A process that starts a VM.
extension ServiceProcess {
  /// How long a starter may take to say what to start, in nanoseconds.
  private static let starterLimit: UInt64 = 10_000_000_000

  static func runNew(
    _ kind: any ManagedVM.Type, _ limits: HandoffLimits, _ socket: consuming UnixSocket
  ) throws -> GuestEnd? {
    try leaveSurroundings()
    let signals = try endingSignals()
    let starter = Owned(socket)
    do {
      let service = try makeVM(kind, limits, starter)
      let pid = ProcessIdentity.current().pid
      // Before `fsr run` ends, which the service manager takes for the service until then.
      ServiceManager.tell("READY=1", "MAINPID=\(pid)", log: service.log)
      do { try starter.value.send(VMStartReply.running.encoded) } catch {
        // Nobody waits for this VM any more.
        let runtime = service.runtimeFolder
        service.stopGuest(removing: true)
        if case .gone = Companion.find() { RuntimeDirectory.removeEmpty(at: runtime) }
        throw error
      }
      service.log.notice("the guest runs in process \(pid)")
      return try service.run(signals: signals)
    } catch {
      try? starter.value.send(VMStartReply.refused("\(error)").encoded)
      throw error
    }
  }

  private static func makeVM(
    _ kind: any ManagedVM.Type, _ limits: HandoffLimits, _ starter: Owned<UnixSocket>
  ) throws -> VMService {
    try ProcessIdentity.establish()
    guard
      var received = try starter.value.receive(
        limit: UnixSocket.messageLimit, maximumDescriptors: 3, timeout: starterLimit)
    else { throw VMError(.other, "the starter is gone") }
    let start = try VMStart(decoding: received.bytes)
    guard let folderDescriptor = received.descriptors.take(0) else { throw VMError(.other, "no folder came") }
    let name = start.configuration.name
    let folder = VMFolder(name: name, directory: try Directory(adopting: folderDescriptor))
    // Before anything of it can be found.
    let presence = try VMPresence(in: folder)
    let parts = try newVM(start, &received.descriptors)
    let listener = Owned(try UnixSocket.listen(in: folder.directory, name: VMFiles.socket))
    var random = SystemRandomNumberGenerator()
    let identity = MachineIdentity.random(using: &random)
    // Ahead of everything that is made elsewhere for this machine.
    try folder.writeMark(of: identity)
    let context = VMContext(identity, log: kind.log(name), folder: folder, presence: presence)
    let vm = try kind.init(new: parts, context)
    // Set up; and no thread has been started yet. The guest's memory may need one of its own from here on.
    try ProcessRights.dropRest(in: context.folder.value)
    try vm.boot()
    return try enter(vm, context, limits, listener)
  }

  private static func newVM(_ start: VMStart, _ descriptors: inout DescriptorBag) throws -> NewVM {
    var image: [UInt8]?
    if start.hasImage {
      guard let file = descriptors.take(1) else { throw VMError(.other, "no guest came") }
      do throws(SystemError) { image = try file.readAll(limit: VMStart.imageLimit) } catch {
        throw VMError(.refused, "the guest cannot be read: \(error); name an ELF file with --guest")
      }
    }
    var console: Owned<OwnedDescriptor>?
    if start.hasConsole, let file = descriptors.take(start.hasImage ? 2 : 1) { console = Owned(file) }
    return NewVM(configuration: start.configuration, ports: start.ports, image: image, console: console)
  }

  /// Lets the guest run, from nobody.
  private static func enter(
    _ vm: any ManagedVM, _ context: VMContext, _ limits: HandoffLimits, _ listener: Owned<UnixSocket>
  ) throws -> VMService {
    let block = try FirstBlock.make(in: context.folder.value, of: context.identity)
    try context.presence.keepBlocks(of: context.folder.value)
    let facts = vm.facts
    if facts.reserve > 0 {
      // Promised first, and locked only then.
      try VMReservation(of: context.folder.value).reserve(
        facts.reserve, on: facts.nodes, machine: context.identity)
      try vm.memory.reserve(facts.reserve)
    }
    let service = VMService(
      vm, context, on: listener, block: block, build: try build(), limits: limits,
      event: try EventDescriptor())
    guard case .made = block.claim(.destination, by: .destination) else {
      throw VMError(.other, "somebody called the start off")
    }
    block.passFirst(.entered, at: MonotonicClock.now())
    vm.resume()
    // There is no loser to be seen gone, and no handoff to tell of.
    for mark in [TimelineMark.reaped, .reported] { block.pass(mark, at: MonotonicClock.now()) }
    return service
  }
}
