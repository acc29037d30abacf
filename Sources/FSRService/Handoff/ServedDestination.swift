internal import FSRHandoff
internal import FSRHost
internal import FSRMemory
internal import FSRState
internal import FSRSystem
internal import Synchronization

/// Takes a guest into a new process: makes its VM from what came, and around that does what the process does.
final class ServedDestination: HandoffDestination {
  private let kind: any ManagedVM.Type
  let build: String
  let sectionVersions: [SectionVersion]
  private let arrival = Mutex<Arrival?>(nil)
  /// Made ahead: nothing may fail once the guest is here.
  private let event: Mutex<EventDescriptor?>
  /// What a guest loses least by, where memory runs out: a VMM that has no guest yet.
  private let score: Mutex<RaisedOOMScore?>
  /// The handoff's, for the service manager.
  private let block = Mutex<ControlBlock?>(nil)

  /// A guest that is made, and whose VM's process this is to be.
  struct Arrival {
    let vm: any ManagedVM
    let context: VMContext
    let listener: Owned<UnixSocket>
  }

  /// - Parameter score: raised by this process, as far as it could.
  init(_ kind: any ManagedVM.Type, score: consuming RaisedOOMScore?) throws {
    self.kind = kind
    self.score = Mutex(score)
    event = Mutex(try EventDescriptor())
    build = try ServiceProcess.build()
    sectionVersions = try kind.readableSections()
  }

  /// For the loop of the service that is made once the guest is here; once.
  func takeEvent() -> EventDescriptor? { event.withLock { $0.take() } }

  /// In which block it stands whether the guest is here.
  func note(_ block: ControlBlock) { self.block.withLock { $0 = block } }

  /// The guest, once prepared.
  var prepared: Arrival? { arrival.withLock { $0 } }

  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws {
    var description = description
    let listener = UnixSocket(adopting: try description.take(ServedSource.Slot.listener))
    guard try listener.isListening() else {
      throw HandoffError.protocolViolation("a control socket that nobody can connect to")
    }
    let folder = VMFolder(
      name: description.manifest.name,
      directory: try Directory(adopting: try description.take(ServedSource.Slot.folder)))
    let presence = try VMPresence(in: folder)
    try presence.keepBlocks(of: folder)
    let context = VMContext(
      description.manifest.machine, log: kind.log(folder.name), folder: folder, presence: presence)
    let vm = try kind.init(adopting: description, context)
    try lock(vm, context, isSuccessor: session.isSuccessor)
    let size = vm.memory.size
    try vm.mapPresentPages { session.progressed($0, of: size) }
    // It has as much as the source by now.
    score.withLock { $0?.shed() }
    // All that needs more is done; and no thread has been started yet.
    try ProcessRights.dropRest(in: context.folder.value)
    if let block = block.withLock({ $0 }) { ServiceManager.tellOnceHere(block, log: context.log) }
    try vm.park(session)
    let made = Arrival(vm: vm, context: context, listener: Owned(listener))
    arrival.withLock { $0 = made }
  }

  /// Locks what the VM has reserved. The pages are there: the source has them locked too, until it leaves.
  private func lock(_ vm: any ManagedVM, _ context: VMContext, isSuccessor: Bool) throws {
    let bytes = vm.facts.reserve
    guard bytes > 0 else { return }
    do { try vm.memory.reserve(bytes) } catch {
      // Where it was started by a coordinator with fewer rights: a guest whose memory may be swapped is no lost one.
      guard isSuccessor else { throw error }
      context.log.warning("\(error)")
    }
  }

  func rehearse() { prepared?.vm.rehearse() }

  func takeStorage() -> Bool { prepared?.vm.takeStorage() ?? true }

  func load(_ checkpoint: Checkpoint) throws {
    guard let arrival = prepared else { preconditionFailure("a guest is prepared before it is loaded") }
    try arrival.vm.load(checkpoint)
  }

  func resume() { prepared?.vm.resume() }

  func arrived() {
    do { try score.withLock { $0.take() }?.putBack() } catch {
      try? OwnedDescriptor.standardError().write(Array("fsr: \(error)\n".utf8))
    }
  }

  func abandon() { prepared?.vm.abandon() }

  /// `ServiceProcess` makes the service that goes on.
  func finished(_ block: ControlBlock) {}
}
