import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// A guest that runs where its flag is up, and stops on the thread that asks it to.
final class ThreadlessSource: HandoffSource {
  let runs = Atomic<Bool>(true)
  let sectionVersions: [SectionVersion] = []
  let build = "threadless"
  let launch = Launch(executable: "/bin/true", arguments: ["true"])
  private let requests = Atomic<Int>(0)

  func describe() throws -> GuestDescription {
    var bag = DescriptorBag()
    for _ in 0..<2 { bag.append(try Memfd.create(name: "test-slot", size: 4096)) }
    return GuestDescription(
      manifest: Manifest(
        name: "vm", machine: BlockFixture.machine, slots: ["ram", "console"],
        memory: [.init(slot: 0, size: 4096, guestAddress: 0)], sections: [], checkpointCapacity: 4096,
        executable: launch.executable, arguments: launch.arguments),
      descriptors: bag)
  }

  /// Neither stands at the first look.
  func precopy() throws -> Precopy { Precopy(isFirst ? .copying : .standing, copied: 1, total: 2) }
  func quiesce() throws -> Bool { !isFirst }
  private var isFirst: Bool { requests.add(1, ordering: .relaxed).newValue % 2 == 1 }

  func stun(_ switchover: @escaping @Sendable () -> Void) {
    runs.store(false, ordering: .relaxed)
    switchover()
  }

  var hindrance: String? { nil }
  func cancelStun() -> Bool { false }
  func drainDevices() throws {}
  func save(to checkpoint: inout CheckpointWriter) throws {
    checkpoint.section("all", version: 1) { $0.write(raw: [1, 2, 3]) }
  }
  func releaseStorage() {}
  func reacquireStorage() -> Bool { !isFirst }
  func resume() { runs.store(true, ordering: .relaxed) }
  func relinquish() {}
  /// The last word of a VM that goes on, which its service says else.
  func finished(_ block: ControlBlock, because reason: Reason?) {
    block.pass(.reported, at: MonotonicClock.now())
  }
}

/// A guest that is to come, whose leader is advanced by whoever has it.
final class ThreadlessDestination: HandoffDestination {
  let runs = Atomic<Bool>(false)
  let sectionVersions = [SectionVersion(name: "all", version: 1)]
  let build = "threadless"
  private let prepared = Mutex<(any SwitchLeader)?>(nil)
  private let requests = Atomic<Int>(0)

  var leader: (any SwitchLeader)? { prepared.withLock { $0 } }

  func forget() { prepared.withLock { $0 = nil } }

  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws {
    prepared.withLock { $0 = session }
  }

  func rehearse() {}
  func takeStorage() -> Bool { requests.add(1, ordering: .relaxed).newValue > 1 }
  func load(_ checkpoint: Checkpoint) throws {
    guard try checkpoint.section("all").payload == [1, 2, 3] else { throw Absent() }
  }
  func resume() { runs.store(true, ordering: .relaxed) }
  func arrived() {}
  func abandon() {}
  func finished(_ block: ControlBlock) { block.pass(.reported, at: MonotonicClock.now()) }
}
