internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRState
internal import FSRSystem
internal import Logging
internal import Synchronization

/// Takes a guest into a new process of the reference VMM.
final class ReferenceDestination: HandoffDestination {
  let build: String
  private let guest = Mutex<ReferenceGuest?>(nil)
  /// The handoff's, for the service manager.
  private let block = Mutex<ControlBlock?>(nil)
  /// Takes note of the guest's own end, for the VMM that is made once the guest is here.
  let ending = GuestEnding()
  /// Made ahead: nothing may fail once the guest is here.
  private let event: Mutex<EventDescriptor?>
  /// What a guest loses least by, where memory runs out: a VMM that has no guest yet.
  private let score: Mutex<RaisedOOMScore?>

  let sectionVersions: [SectionVersion]

  /// - Parameter score: raised by this process, as far as it could.
  init(score: consuming RaisedOOMScore?) throws {
    self.score = Mutex(score)
    event = Mutex(try EventDescriptor())
    build = try VMMProcess.build()
    sectionVersions = try ReferenceGuest.readableSections()
  }

  /// For the loop of the VMM that is made once the guest is here; once.
  func takeEvent() -> EventDescriptor? { event.withLock { $0.take() } }

  /// In which block it stands whether the guest is here.
  func note(_ block: ControlBlock) { self.block.withLock { $0 = block } }

  /// The guest, once prepared.
  var prepared: ReferenceGuest? { guest.withLock { $0 } }

  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws {
    let ending = ending
    let made = try ReferenceGuest(adopting: description) { ending.note($0) }
    // The pages are there: the source has them locked too, until it leaves.
    if made.configuration.reserve > 0 {
      do { try made.memory.reserve(made.configuration.reserve) } catch {
        // Where it was started by a coordinator with fewer rights: a guest whose memory may be swapped is no lost one.
        guard session.isSuccessor else { throw error }
        VMMLog.logger(made.configuration.name).warning("\(error)")
      }
    }
    let size = made.memory.size
    try made.mapPresentPages { session.progressed($0, of: size) }
    // It has as much as the source by now.
    score.withLock { $0?.shed() }
    // All that needs more is done; and no thread has been started yet.
    try VMMRights.dropRest(in: made.folder.value)
    try made.paging?.start(isToWait: true)
    let switching = VCPUThreads.Switch(
      rehearse: { try? made.rehearse() }, lead: { [weak session] in session?.leadSwitch() ?? false },
      follow: { [weak session] in session?.followSwitch() },
      entered: { made.arrival.guestEntered() },
      demoted: {
        made.arrival.wake()
        made.paging?.demote()
        // The source stopped taking frames before it stopped the guest: they have waited for longer than that.
        made.ports.launch()
      })
    try made.arrival.start()
    try made.ports.park()
    if let block = block.withLock({ $0 }) {
      VMMProcess.tellManagerOnceHere(block, log: VMMLog.logger(made.configuration.name))
    }
    try made.threads.start(
      machine: made.machine, cpus: made.cpus, switching: switching, standings: made.standings)
    guest.withLock { $0 = made }
  }

  func rehearse() { try? prepared?.rehearse() }

  func takeStorage() -> Bool { prepared?.paging?.takeSwap() ?? true }

  func load(_ checkpoint: Checkpoint) throws {
    guard let guest = prepared else { preconditionFailure("a guest is prepared before it is loaded") }
    try guest.load(checkpoint)
  }

  func resume() {
    prepared?.paging?.begin()
    prepared?.threads.resume()
  }

  func arrived() {
    do { try score.withLock { $0.take() }?.putBack() } catch {
      try? OwnedDescriptor.standardError().write(Array("fsr: \(error)\n".utf8))
    }
  }

  func abandon() {
    prepared?.threads.end()
    prepared?.ports.stop()
    prepared?.paging?.end()
  }

  /// `VMMProcess` makes the VMM that goes on.
  func finished(_ block: ControlBlock) {}
}
