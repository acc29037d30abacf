import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// The other end of a destination's `FSR_HANDOFF_FD`: it starts a real VMM, and gives it whatever it likes.
final class LyingSource {
  private static let next = Atomic<Int>(0)

  /// What a good source would give, taken from a good handoff.
  struct Good: Sendable {
    var manifest: Manifest
    let checkpoint: [UInt8]
  }

  let name = "lie-\(ProcessIdentity.current().pid)-\(next.add(1, ordering: .relaxed).newValue)"
  let good: Good
  let place: Owned<TemporaryDirectory>
  let block: ControlBlock
  /// Named as the source: a destination that wins ends it.
  private let standIn: Sleeper
  private let child: Owned<ProcessDescriptor>
  private var channel: Owned<HandoffLink>?

  static let attempt: UInt32 = 7

  init(_ good: Good) throws {
    self.good = good
    place = Owned(try TemporaryDirectory())
    standIn = try Sleeper()
    let blocks = try BlockDirectory(try place.value.directory.duplicate())
    block = try blocks.create(
      attempt: Self.attempt, generation: 3, machine: good.manifest.machine, state: .none)
    try blocks.publish(block)
    block.enroll(.source, as: standIn.identity)
    block.maxDowntime = 1_000_000_000
    block.deadline = MonotonicClock.now() + TestVM.timeout
    let pair = try UnixSocket.pair()
    let ours = try HandoffLink(pair.a)
    let theirs = pair.b
    let errors = try place.value.directory.openFile("errors", .append)
    let started = try ChildProcess.spawn(
      executable: BuiltCommand.path(), arguments: ["fsr", "vmm", name],
      environment: ["FSR_HANDOFF_FD=3"],
      inheriting: [
        .init(errors.number, as: 1), .init(errors.number, as: 2), .init(theirs.descriptor.number, as: 3),
      ],
      newSession: true)
    child = Owned(started.process)
    channel = Owned(ours)
  }

  // MARK: what it says

  func send(_ message: Message, _ bag: borrowing DescriptorBag) throws {
    try channel?.value.send(message, descriptors: bag)
  }

  func hello(_ sections: [SectionVersion] = []) -> Message {
    .hello(Hello(isSuccessor: false, sections: sections, build: "lies"))
  }

  /// The block and the folder of blocks.
  func introduction() throws -> DescriptorBag {
    var bag = DescriptorBag()
    bag.append(try block.descriptor.duplicate())
    bag.append(try place.value.directory.descriptor.duplicate())
    return bag
  }

  /// The next answer; nil when the destination has hung up.
  func answer() throws -> Message? {
    try channel?.value.receive(timeout: TestVM.timeout, from: "destination")?.message
  }

  /// Says hello as it should be; answers whether the destination agrees.
  func introduce() throws -> Bool {
    try send(hello(), try introduction())
    if case .agreed = try answer() { return true }
    return false
  }

  /// The descriptors of a manifest as they should be, but for `change`, which is told the name of each and may give
  /// another.
  func descriptors(
    _ encoded: [UInt8]? = nil,
    change: (String, TemporaryDirectory.Place) throws -> OwnedDescriptor? = { _, _ in nil }
  ) throws -> DescriptorBag {
    let here = TemporaryDirectory.Place(place)
    var bag = DescriptorBag()
    for slot in ["manifest", "checkpoint"] + good.manifest.slots {
      if let other = try change(slot, here) { bag.append(other) } else { bag.append(try make(slot, encoded)) }
    }
    return bag
  }

  private func make(_ slot: String, _ encoded: [UInt8]?) throws -> OwnedDescriptor {
    switch slot {
    case "manifest":
      let bytes = encoded ?? good.manifest.encoded
      let memory = try Memfd.create(name: "lies", size: UInt64(bytes.count))
      try memory.write(bytes, at: 0)
      return memory
    case "checkpoint": return try Memfd.create(name: "lies", size: good.manifest.checkpointCapacity)
    case "memory": return try Memfd.create(name: "lies", size: good.manifest.memory[0].size)
    case "console": return try Memfd.create(name: "lies", size: 4096 + 1 << 20)
    case "listener":
      try? place.value.directory.unlink("socket")
      return try UnixSocket.listen(in: place.value.directory, name: "socket").release()
    case "folder": return try place.value.directory.descriptor.duplicate()
    default: return try Memfd.create(name: "lies", size: 4096)
    }
  }

  /// Writes `bytes` as the checkpoint into the memory at `index` of what was sent, and says complete.
  func complete(
    _ bytes: [UInt8], in memory: borrowing OwnedDescriptor, length: UInt64? = nil, checksum: UInt64? = nil
  )
    throws
  {
    try memory.write(bytes, at: 0)
    block.complete(length: length ?? UInt64(bytes.count), checksum: checksum ?? Checksum.of(bytes))
    block.ring()
  }

  // MARK: the end

  /// Ends what it has begun, and answers with how the destination ended and what it said.
  func end() throws -> (status: ExitStatus?, said: String) {
    // Decided for the source, so that a destination that holds on to the guest may let go.
    _ = block.claim(.source, by: .source)
    _ = block.claim(.resumed, by: .source)
    block.announce()
    block.ring()
    if block.state == .destination { _ = try child.value.signal(SignalNumber.kill) }
    standIn.end()
    channel = nil
    let hasEnded = try child.value.waitForExit(timeout: TestVM.timeout)
    if !hasEnded { _ = try child.value.signal(SignalNumber.kill) }
    let status = try child.value.reap()
    let bytes = try place.value.directory.openFile("errors", .read).readAll(limit: 1 << 20)
    return (hasEnded ? status : nil, String(decoding: bytes, as: UTF8.self))
  }

  /// Whether the destination has won, or has ended, or has called it off: whichever comes first.
  func isSettled() -> Bool {
    TestVM.wait {
      block.state != .none && block.state != .destVerify || (try? child.value.hasExited()) != false
    }
  }

  /// What is left of the destination.
  func remains() throws -> [String] {
    try ProcessTable.machines(named: name).map { "process \($0.key)" }
  }
}

extension TemporaryDirectory {
  /// A folder that somebody else owns.
  struct Place {
    private let owner: Owned<TemporaryDirectory>

    init(_ owner: Owned<TemporaryDirectory>) { self.owner = owner }

    func odd(_ kind: OddDescriptor, size: UInt64) throws -> OwnedDescriptor {
      try kind.make(size: size, in: owner.value.directory)
    }
  }
}

extension LyingSource.Good {
  /// Takes both from a handoff of a VM of its own.
  static func capture() throws -> LyingSource.Good {
    let vm = try TestVM()
    try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
    let (block, copies) = try LyingCoordinator(vm: vm).handOver()
    let length = Int(min(block.checkpointExtent.length, copies.value.manifest.checkpointCapacity))
    let bytes = try copies.value.checkpoint.read(at: 0, count: length)
    var manifest = copies.value.manifest
    // Nothing is written to a console's file.
    manifest.slots.removeAll { $0 == "console-file" }
    let left = try vm.stopped()
    guard left.isEmpty else { throw Unexpected("left behind: \(left)") }
    let checkpoint = try Checkpoint(decoding: bytes)
    return LyingSource.Good(
      manifest: manifest,
      checkpoint: encode(checkpoint.sections, machine: manifest.machine, attempt: LyingSource.attempt))
  }

  static func encode(_ sections: [StateSection], machine: MachineIdentity, attempt: UInt32) -> [UInt8] {
    var writer = CheckpointWriter(machine: machine, attempt: attempt, capacity: 1 << 16)
    for section in sections { writer.passOn(section) }
    return writer.bytes
  }
}
