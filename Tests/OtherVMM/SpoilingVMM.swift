import FSRHandoff
import FSRState
import FSRSystem
import Synchronization

/// A destination that goes along until the checkpoint is complete, spoils the control block then, and stays.
final class SpoilingVMM: HandoffDestination {
  let sectionVersions: [SectionVersion]
  let build = "other"
  private let body: @Sendable (ControlBlock) throws -> Void
  private let block = Mutex<ControlBlock?>(nil)
  private let held = Mutex(DescriptorBag())

  init(_ sectionVersions: [SectionVersion], body: @escaping @Sendable (ControlBlock) throws -> Void) {
    self.sectionVersions = sectionVersions
    self.body = body
  }

  static func run(_ socket: consuming UnixSocket, body: @escaping @Sendable (ControlBlock) throws -> Void)
    throws
  {
    let guest = SpoilingVMM(sections(harts: 1), body: body)
    let session = try DestinationSession(socket: socket) { guest }
    guest.block.withLock { $0 = session.block }
    _ = session.run()
  }

  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws {
    var bag: DescriptorBag? = description.descriptors
    held.withLock { if let taken = bag.take() { $0 = taken } }
    _ = try OSThread.start(name: "vcpu0", detached: true) { _ = session.leadSwitch() }
  }

  func rehearse() {}

  func takeStorage() -> Bool {
    guard let block = block.withLock({ $0 }) else { return false }
    try? body(block)
    return true
  }

  func load(_ checkpoint: Checkpoint) throws {}
  func resume() {}
  func arrived() {}
  func abandon() {}
  func finished(_ block: ControlBlock) {}
}
