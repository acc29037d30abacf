import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// A guest without a machine, which writes down what a session asks of it, and where the word is then.
final class WatchedSource: HandoffSource {
  /// What it does otherwise than a good one.
  struct Manners: Sendable {
    /// How often the copying is looked at before it stands.
    var looks = 0
    var quiesceFails = false
    /// How often it is not quiet yet.
    var stirrings = 0
    var drainFails = false
    var saveFails = false
    /// What it writes of its state.
    var payload = WatchedSource.payload
    /// Whether the vCPUs never stop.
    var isDeaf = false
    /// Why not, where it knows.
    var hindrance: String?
    /// How often the storage is not to be had.
    var refusals = 0
    /// Done in the stun, before anything is written.
    var atDrain: @Sendable (ControlBlock) -> Void = { _ in }
    /// Done in the stun, once all is written.
    var atRelease: @Sendable (ControlBlock) -> Void = { _ in }
  }

  private struct Tally {
    var calls: [String] = []
    var looks = 0
    var requests = 0
    var refusals = 0
  }

  let sectionVersions: [SectionVersion] = []
  let build = "watched"
  let launch: Launch
  let block: ControlBlock
  private let manners: Manners
  private let tally = Mutex(Tally())
  private let bag: Mutex<DescriptorBag>
  static let payload: [UInt8] = [1, 2, 3]
  struct Wrong: Error {}

  init(_ block: ControlBlock, startedAs executable: String, _ manners: Manners) throws {
    self.block = block
    launch = Launch(executable: executable, arguments: ["other"])
    self.manners = manners
    var bag = DescriptorBag()
    for _ in 0..<2 { bag.append(try Memfd.create(name: "test-slot", size: 4096)) }
    self.bag = Mutex(bag)
  }

  /// What was asked for, each with the word's state then.
  var calls: [String] { tally.withLock { $0.calls } }

  private func note(_ call: String) {
    let state = block.state
    tally.withLock { $0.calls.append("\(call) \(state)") }
  }

  func describe() throws -> GuestDescription {
    note("describe")
    return GuestDescription(
      manifest: Manifest(
        name: "vm", machine: BlockFixture.machine, slots: ["ram", "console"],
        memory: [.init(slot: 0, size: 4096, guestAddress: 0)], sections: [], checkpointCapacity: 8192,
        executable: launch.executable, arguments: launch.arguments),
      descriptors: bag.withLock { $0.takeAll() })
  }

  func precopy() throws -> Precopy {
    let looks = tally.withLock { tally in
      tally.looks += 1
      return tally.looks
    }
    if looks == 1 { note("precopy") }
    return looks > manners.looks ? Precopy(.standing) : Precopy(.copying, copied: 10, total: 20)
  }

  func quiesce() throws -> Bool {
    let requests = tally.withLock { tally in
      tally.requests += 1
      return tally.requests
    }
    if requests == 1 { note("quiesce") }
    if manners.quiesceFails { throw Wrong() }
    return requests > manners.stirrings
  }

  func stun(_ switchover: @escaping @Sendable () -> Void) {
    note("stun")
    if manners.isDeaf { return }
    _ = try? OSThread.start(name: "vcpu", detached: true, switchover)
  }

  var hindrance: String? { manners.hindrance }

  func cancelStun() -> Bool {
    if manners.isDeaf { note("cancelStun") }
    return manners.isDeaf
  }

  func drainDevices() throws {
    note("drain")
    manners.atDrain(block)
    if manners.drainFails { throw Wrong() }
  }

  func save(to checkpoint: inout CheckpointWriter) throws {
    note("save")
    if manners.saveFails { throw Wrong() }
    checkpoint.section("all", version: 1) { $0.write(raw: manners.payload) }
  }

  func releaseStorage() {
    note(block.isComplete ? "releaseStorage behind complete" : "releaseStorage")
    manners.atRelease(block)
  }

  func reacquireStorage() -> Bool {
    // Whoever was started could touch it.
    let isFenced = block.hasReleased(.destination) || isDestinationGone
    note(isFenced ? "takeBack" : "takeBack unfenced")
    return tally.withLock { tally in
      tally.refusals += 1
      return tally.refusals > manners.refusals
    }
  }

  func resume() { note("resume") }

  func relinquish() { note(block.hasReleased(.source) ? "relinquish behind release" : "relinquish") }

  func finished(_ block: ControlBlock, because reason: Reason?) {
    note(isDestinationGone ? "keep" : "keep beside a destination")
  }

  private var isDestinationGone: Bool {
    guard let identity = block.identity(of: .destination) else { return true }
    do { return isAbsent(try ProcessDescriptor.open(identity)) } catch { return false }
  }
}
