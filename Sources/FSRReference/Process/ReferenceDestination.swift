internal import FSRHandoff
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

  let sectionVersions: [SectionVersion]

  init() throws {
    build = try VMMProcess.build()
    sectionVersions = try ReferenceGuest.readableSections()
  }

  /// In which block it stands whether the guest is here.
  func note(_ block: ControlBlock) { self.block.withLock { $0 = block } }

  /// The guest, once prepared.
  var prepared: ReferenceGuest? { guest.withLock { $0 } }

  func prepare(_ description: consuming Description, session: any SwitchLeader) throws {
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
    // All that needs more is done; and no thread has been started yet.
    try VMMRights.dropRest(in: made.folder.value)
    try made.paging?.start(isToWait: true)
    let switching = HartThreads.Switch(
      rehearse: { try? made.rehearse() }, lead: { [weak session] in session?.leadSwitch() ?? false },
      follow: { [weak session] in session?.followSwitch() },
      entered: { made.arrival.guestEntered() },
      calmed: {
        made.arrival.wake()
        made.paging?.calm()
        // The source stopped taking frames before it stopped the guest: they have waited for longer than that.
        made.ports.launch()
      })
    try made.arrival.start()
    try made.ports.park()
    if let block = block.withLock({ $0 }) {
      VMMProcess.tellManagerOnceHere(block, log: VMMLog.logger(made.configuration.name))
    }
    try made.threads.start(machine: made.machine, cpus: made.cpus, switching: switching)
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

  func abandon() {
    prepared?.threads.end()
    prepared?.ports.stop()
    prepared?.paging?.end()
  }

  func keep(_ ended: ControlBlock) {}
}
