import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// A guest that is nothing but descriptors with names, for what happens before a destination has them.
final class StillSource: HandoffSource {
  private let slots: [String]
  private let bag: Mutex<DescriptorBag>
  private let references: Set<String>
  private let written: Set<String>
  let sectionVersions: [SectionVersion] = []
  let build = "still"
  let launch = Launch(executable: "/bin/true", arguments: ["true"])
  /// Whether it was asked to stop anything.
  let isTouched = OneWayFlag()
  /// Done once it was described.
  private let body: @Sendable () throws -> Void

  init(
    _ slots: [String], _ bag: consuming DescriptorBag, references: Set<String> = [],
    written: Set<String> = [],
    body: @escaping @Sendable () throws -> Void = {}
  ) {
    self.body = body
    self.slots = slots
    self.bag = Mutex(bag)
    self.references = references
    self.written = written
  }

  func describe() throws -> GuestDescription {
    try body()
    return GuestDescription(
      manifest: Manifest(
        name: "vm", machine: BlockFixture.machine, slots: slots, memory: [], sections: [],
        checkpointCapacity: 4096, executable: launch.executable, arguments: launch.arguments),
      descriptors: bag.withLock { $0.takeAll() }, references: references, written: written)
  }

  func precopy() throws -> Precopy { Precopy(.standing) }
  func quiesce() throws -> Bool {
    isTouched.raise()
    return true
  }
  func stun(_ switchover: @escaping @Sendable () -> Void) { isTouched.raise() }
  var hindrance: String? { nil }
  func cancelStun() -> Bool { true }
  func drainDevices() throws {}
  func save(to checkpoint: inout CheckpointWriter) throws {}
  func releaseStorage() {}
  func reacquireStorage() -> Bool { true }
  func resume() {}
  func relinquish() { isTouched.raise() }
  func finished(_ block: ControlBlock, because reason: Reason?) {}

  /// Asks for its handoff, and answers what a coordinator is told first.
  func handOver() throws -> Message? {
    let fixture = try BlockFixture()
    let block = try fixture.blocks.create(
      attempt: 1, generation: 1, machine: BlockFixture.machine, state: .none)
    block.deadline = MonotonicClock.now() + 60_000_000_000
    let pair = try UnixSocket.pair()
    let coordinator = try HandoffLink(pair.a)
    let session = SourceSession(
      guest: self, block: block, blocks: try fixture.blocks.duplicate(), coordinator: try HandoffLink(pair.b),
      request: HandoffRequest(), plan: HandoffPlan())
    guard case .kept = session.run() else { throw Absent() }
    let told = try coordinator.receive(timeout: 0, from: "source")?.message
    if case .refused = told, try fixture.blocks.newest() != nil { throw Absent() }
    return told
  }
}
