import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// A handoff whose parties are all advanced by one thread, in an order that a seed gives. Each has a process that stands for
/// it: with that gone, it is advanced no more.
final class OneThreadHandoff {
  private static let timeout: UInt64 = 5_000_000_000

  /// A destination, from the moment in which its process is there.
  private final class Taker {
    let process: Sleeper
    let socket: Owned<UnixSocket>
    let guest = ThreadlessDestination()
    var session: DestinationSession<ThreadlessDestination>?
    var end: DestinationSession<ThreadlessDestination>.End?
    var hasSwitched = false

    init(_ process: Sleeper, _ socket: Owned<UnixSocket>) { (self.process, self.socket) = (process, socket) }

    /// Ends it with all that it has open; its guest and its session have each other.
    func bury() {
      process.end()
      guest.forget()
      session = nil
    }

    var runs: Bool { guest.runs.load(ordering: .relaxed) }
  }

  /// What a world's threads may touch.
  private final class Started: Sendable {
    let waiting = Mutex<[(Sleeper, Owned<UnixSocket>)]>([])

    func start(_ end: borrowing UnixSocket) throws(SystemError) -> any PeerProcess {
      let socket = Owned(UnixSocket(adopting: try end.descriptor.duplicate()))
      guard let process = try? Sleeper() else { throw SystemError("start", on: "a sleeper", errno: 11) }
      waiting.withLock { $0.append((process, socket)) }
      return StandInPeer(process)
    }
  }

  private let guest = ThreadlessSource()
  private let fixture: BlockFixture
  private let listener: UnixSocket
  private let owner: Sleeper
  private let started = Started()
  private let isCancelled = OneWayFlag()
  private let fault: String
  private var random: SeededGenerator
  private var coordinator: CoordinatorSession?
  private let coordinatorProcess: Sleeper
  private var source: SourceSession<ThreadlessSource>?
  private var takers: [Taker] = []
  private(set) var end: HandoffEnd?
  private(set) var sourceEnd: SourceSession<ThreadlessSource>.End?
  /// How often a party was advanced.
  private(set) var turns = 0
  /// Moments in which two ran the guest.
  private(set) var doubled = 0

  /// - Parameter fault: as `FaultPlan` reads it; empty for none.
  init(seed: UInt64, fault: String = "") throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let acting = try Sleeper()
    listener = try UnixSocket.listen(in: fixture.temporary.directory, name: "control.sock")
    let old = try fixture.makeBlock(4, .resumed)
    old.enroll(.source, as: owner.identity)
    var options = CoordinatorSession.Options()
    options.fault = fault
    options.maxDowntime = Self.timeout
    let started = started
    let isCancelled = isCancelled
    coordinator = CoordinatorSession(
      .handoff, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), options: options, limits: Self.limits,
      in: PatientWorld(
        as: acting.identity, starting: { (end) throws(SystemError) in try started.start(end) },
        committing: { acting.end() }),
      isCancelled: { isCancelled.isUp })
    self.fixture = fixture
    self.owner = owner
    self.fault = fault
    coordinatorProcess = acting
    random = SeededGenerator(seed: seed)
  }

  deinit {
    for process in [owner, coordinatorProcess] { process.end() }
    for taker in takers { taker.bury() }
    started.waiting.withLock { for (process, _) in $0 { process.end() } }
  }

  private static var limits: HandoffLimits {
    var limits = HandoffLimits()
    limits.settle = timeout
    limits.fence = 20_000_000
    limits.reap = 500_000_000
    return limits
  }

  /// Parties that live go on without end.
  struct Stuck: Error { let state: String }

  /// How far everybody is.
  var description: String {
    let takers = takers.map {
      "destination \($0.session?.failure ?? "fine"), \($0.end.map { "\($0)" } ?? "on"), switched: \($0.hasSwitched)"
    }
    let word = newest.map { "\($0.state)" } ?? "none"
    let asked = source == nil ? "not asked" : sourceEnd.map { "\($0)" } ?? "on"
    return
      "turn \(turns): word \(word), coordinator \(end.map { "\($0)" } ?? "on"), source \(asked), \(takers)"
  }

  /// Parties that run the guest now.
  var running: Int {
    (sourceRuns ? 1 : 0) + takers.count { $0.process.isAlive && $0.runs }
  }

  var sourceRuns: Bool { owner.isAlive && guest.runs.load(ordering: .relaxed) }

  var newest: ControlBlock? { try? fixture.blocks.newest() }

  /// Whether a guest may be lost with `party`: the source has it alone until the checkpoint is complete, and the winner
  /// once the word says so.
  func mayBeLost(with party: Party) -> Bool {
    guard let newest else { return party == .source }
    switch party {
    case .source: return newest.state == .resumed || !newest.isComplete
    case .destination: return newest.state == .destination
    case .coordinator: return false
    }
  }

  /// Advances the parties until none of those that live has anything to do.
  ///
  /// - Parameter cancelAt: the turn before which whoever asked for the handoff interrupts it.
  func run(cancelAt: Int? = nil) throws {
    let deadline = MonotonicClock.now() + Self.timeout
    while true {
      let due = parties()
      guard let next = due.randomElement(using: &random) else { return }
      if turns == cancelAt { isCancelled.raise() }
      turns += 1
      try next()
      buryTheDead()
      if running > 1 { doubled += 1 }
      if MonotonicClock.now() >= deadline { throw Stuck(state: description) }
    }
  }

  /// Closes what a killed party had open, as the kernel does.
  private func buryTheDead() {
    if !coordinatorProcess.isAlive { coordinator = nil }
    if !owner.isAlive { source = nil }
    for taker in takers where !taker.process.isAlive { taker.bury() }
    takers.removeAll { !$0.process.isAlive }
  }

  /// What can be advanced.
  private func parties() -> [() throws -> Void] {
    takers += started.waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting.map { Taker($0.0, $0.1) }
    }
    var due: [() throws -> Void] = []
    if end == nil, coordinatorProcess.isAlive { due.append(advanceCoordinator) }
    if sourceEnd == nil, owner.isAlive, source != nil || coordinatorProcess.isAlive && end == nil {
      due.append(advanceSource)
    }
    for taker in takers {
      if taker.end == nil { due.append { try self.advance(taker) } }
      if let leader = taker.guest.leader, !taker.hasSwitched {
        due.append { Self.advance(taker, leader) }
      }
    }
    return due
  }

  private func advanceCoordinator() {
    if case .ended(let end)? = coordinator?.advance() { self.end = end }
  }

  private func advanceSource() throws {
    guard let source else { return try accept() }
    guard case .ended(let end) = source.advance() else { return }
    sourceEnd = end
    if end != .kept { owner.end() }
  }

  /// Takes the request, as the service of a VM does.
  private func accept() throws {
    guard let socket = try listener.accept() else { return }
    let link = try HandoffLink(socket)
    guard var arrival = try link.receive(timeout: Self.timeout, from: "coordinator"),
      case .request(let request) = arrival.message, let file = arrival.descriptors.take(0)
    else { throw Absent() }
    let owner = owner
    let started = started
    source = SourceSession(
      guest: guest, block: try ControlBlock(adopting: file), blocks: try fixture.blocks.duplicate(),
      coordinator: link, request: request, plan: try request.plan, limits: Self.limits,
      in: PatientWorld(
        as: owner.identity, starting: { (end) throws(SystemError) in try started.start(end) },
        committing: { owner.end() }))
  }

  private func advance(_ taker: Taker) throws {
    if let session = taker.session {
      guard case .ended(let end) = session.advance() else { return }
      taker.end = end
      if end == .left { taker.process.end() }
      return
    }
    var poller = Poller()
    poller.watch(taker.socket.value.descriptor, token: 0)
    if try poller.wait(timeout: 0).isEmpty { return }
    let process = taker.process
    taker.session = try? DestinationSession(
      socket: UnixSocket(adopting: try taker.socket.value.descriptor.duplicate()), limits: Self.limits,
      in: PatientWorld(as: process.identity, committing: { process.end() }), guest: { taker.guest })
    // Its starter has hung up: it ends.
    if taker.session == nil { process.end() }
  }

  private static func advance(_ taker: Taker, _ leader: any SwitchLeader) {
    switch leader.advanceSwitch() {
    case .waits: break
    case .enter, .leave: taker.hasSwitched = true
    }
  }
}

/// A process that stands for a party whose messages this very process sends.
private final class StandInPeer: PeerProcess {
  private let process: Sleeper
  init(_ process: Sleeper) { self.process = process }
  var identities: [ProcessIdentity] { [process.identity] }
  var hasExited: Bool { !process.isAlive }
  func hasSent(_ pid: Int32?) -> Bool { true }
  func kill() { process.end() }
  func mayBeEnded(forOwnerOf file: borrowing OwnedDescriptor) -> Bool { true }
  func reap() { process.end() }
  func copyDescriptor(_ number: Int32) throws(SystemError) -> OwnedDescriptor {
    throw SystemError("copy a descriptor", on: "a stand-in", errno: 1)
  }
  func watch(_ poller: inout Poller, token: Int) {}
}
