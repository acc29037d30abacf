import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport

/// A coordinator that knows the protocol and keeps to it only as long as it likes.
struct LyingCoordinator {
  let vm: TestVM

  /// The VM's folder.
  func folder() throws -> Directory { try Directory.open("\(vm.runtime)/\(vm.name)") }

  func blocks() throws -> BlockDirectory {
    guard let path = vm.blocksPath() else { throw Unexpected("there are no blocks") }
    return try BlockDirectory(try Directory.open(path))
  }

  func connect() throws -> HandoffLink {
    try HandoffLink(try UnixSocket.connect(in: try folder(), name: VMFiles.socket, timeout: TestVM.timeout))
  }

  /// What a block is told to be; what is nil is as it should be.
  struct Lie: Sendable {
    var attempt: UInt32?
    var generation: UInt64?
    var machine: MachineIdentity?
    var state = ResumeState.none
    var source: ProcessIdentity?
    var hasSource = true
    var destination: ProcessIdentity?
    var maxDowntime: UInt64 = 5_000_000_000
    var deadline: UInt64?
    var isComplete = false
  }

  /// The draft of a new block, as a coordinator makes it.
  func draft(_ lie: Lie = Lie(), in blocks: borrowing BlockDirectory) throws -> ControlBlock {
    guard let newest = try blocks.newest(), let owner = newest.owner else {
      throw Unexpected("nobody owns it")
    }
    let block = try blocks.create(
      attempt: lie.attempt ?? newest.attempt + 1,
      generation: lie.generation ?? newest.generation + (newest.state == .destination ? 1 : 0),
      machine: lie.machine ?? newest.machine, state: lie.state)
    if lie.hasSource { block.enroll(.source, as: lie.source ?? owner) }
    if let destination = lie.destination { block.enroll(.destination, as: destination) }
    block.maxDowntime = lie.maxDowntime
    block.deadline = lie.deadline ?? MonotonicClock.now() + 30_000_000_000
    if lie.isComplete { block.complete(length: 4096, checksum: 1) }
    return block
  }

  func request(
    _ channel: borrowing HandoffLink, _ block: ControlBlock,
    asking request: HandoffRequest = HandoffRequest(),
    speaking version: UInt16 = HandoffProtocol.versions.upperBound
  ) throws {
    var bag = DescriptorBag()
    bag.append(try block.descriptor.duplicate())
    try channel.send(.request(request), descriptors: bag, speaking: version)
  }

  /// The kinds of what is said until the other side hangs up, or `limit` messages.
  func answers(_ channel: borrowing HandoffLink, limit: Int = 8) -> [Message] {
    var said: [Message] = []
    while said.count < limit, let arrival = try? channel.receive(timeout: TestVM.timeout, from: "source") {
      said.append(arrival.message)
    }
    return said
  }

  /// Does its part of a good handoff; answers with what it was given to hold.
  func handOver() throws -> (block: ControlBlock, copies: Owned<HeldDescriptors>) {
    let blocks = try blocks()
    let block = try draft(in: blocks)
    let channel = try connect()
    try request(channel, block)
    let accepted = try channel.receive(timeout: TestVM.timeout, from: "source")?.message
    guard accepted == .accepted else { throw Unexpected("accepted is due, \(accepted as Any) comes") }
    guard var arrival = try channel.receive(timeout: TestVM.timeout, from: "source"),
      case .manifest = arrival.message
    else { throw Unexpected("no manifest comes") }
    let copies = Owned(try HeldDescriptors(arrival.descriptors.takeAll()))
    try channel.send(.holding)
    let isOver = TestVM.wait { block.state.isTerminal && block.time(of: .reported) != 0 }
    guard isOver, block.state == .destination else {
      throw Unexpected("the handoff ended with \(block.state)")
    }
    return (block, copies)
  }
}
