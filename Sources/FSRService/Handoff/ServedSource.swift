internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem

/// Gives a served VM's guest away: what the VM does for it, and around that what the process does.
final class ServedSource: HandoffSource {
  /// Slots of a manifest that are the service's, whichever VMM has the guest.
  enum Slot {
    static let listener = "listener"
    static let folder = "folder"
  }

  private let guest: any GuestSource
  private let service: VMService
  private let depth: HandoffPlan.Depth
  /// Whether the reservation was passed on.
  private let hasHeir = OneWayFlag()
  let launch = Launch.again()
  var build: String { service.build }

  init(_ guest: any GuestSource, of service: VMService, depth: HandoffPlan.Depth) {
    self.guest = guest
    self.service = service
    self.depth = depth
  }

  var sectionVersions: [SectionVersion] { guest.sectionVersions }

  func describe() throws -> GuestDescription {
    try service.reservation.check()
    try Headroom.check(for: service.vm)
    var description = try guest.describe()
    let context = service.context
    description.add(Slot.listener, try service.control.listener.value.descriptor.duplicate())
    description.add(Slot.folder, try context.folder.value.directory.descriptor.duplicate())
    description.add(Manifest.executableSlot, try OwnedDescriptor.open("/proc/self/exe", .read))
    description.manifest.executable = launch.executable
    description.manifest.arguments = launch.arguments
    return description
  }

  func precopy() throws -> Precopy { try guest.precopy() }

  func quiesce() throws -> Bool {
    // Ahead of everything that would have to be taken back: from here on the reservation outlives this process.
    if !hasHeir.isUp { try service.reservation.nameHeir() }
    hasHeir.raise()
    return try guest.quiesce()
  }

  func stun(_ switchover: @escaping @Sendable () -> Void) {
    // Nobody is answered any more until the guest runs again: only the owner accepts.
    service.control.stopAccepting()
    guest.stun(switchover)
  }

  var hindrance: String? { service.restart.isAwaited ? "the guest is being reset" : guest.hindrance }

  func cancelStun() -> Bool { guest.cancelStun() }

  func drainDevices() throws { try guest.drainDevices() }

  func save(to checkpoint: inout CheckpointWriter) throws { try guest.save(to: &checkpoint) }

  func releaseStorage() { guest.releaseStorage() }

  func reacquireStorage() -> Bool { guest.reacquireStorage() }

  func resume() {
    guest.resume()
    service.startAccepting()
  }

  func relinquish() {
    // Without a guest it is the one to go, where memory runs out.
    _ = RaisedOOMScore(hasBallast: false)
    guest.relinquish()
    service.control.stopAccepting()
  }

  func finished(_ block: ControlBlock, because reason: Reason?) {
    service.handoffCameToNothing(block, because: reason, depth: depth)
  }
}
