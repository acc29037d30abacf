import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// Sessions that somebody else's loop drives: they do what can be done, and wait for nothing.
@Suite struct AdvanceTests {
  private static let timeout: UInt64 = 60_000_000_000

  /// Advances `session` until `condition` holds; answers how it ended where it did before.
  private static func advance(
    _ session: inout CoordinatorSession, until condition: () throws -> Bool
  ) throws -> HandoffEnd? {
    let deadline = MonotonicClock.now() + timeout
    while true {
      switch session.advance() {
      case .ended(let end): return end
      case .waits(let wait):
        #expect(wait.until <= MonotonicClock.now() + timeout)
        if try condition() { return nil }
        if MonotonicClock.now() >= deadline { throw Absent() }
        MonotonicClock.sleep(100_000)
      }
    }
  }

  private static func session(
    _ purpose: Coordinator.Purpose, _ fixture: borrowing BlockFixture, settle: UInt64 = 3_000_000_000,
    isCancelled: @escaping () -> Bool = { false }
  ) throws -> CoordinatorSession {
    var limits = HandoffLimits()
    limits.pollInterval = 1_000_000
    limits.reap = 500_000_000
    limits.settle = settle
    return CoordinatorSession(
      purpose, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), limits: limits, in: PatientWorld(), isCancelled: isCancelled)
  }

  /// The test plays the source on the same thread: nothing else could take turns.
  @Test func aHandoffIsCoordinatedWithoutAThreadOfItsOwn() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let listener = try UnixSocket.listen(in: fixture.temporary.directory, name: "control.sock")
    let old = try fixture.makeBlock(4, .resumed)
    old.enroll(.source, as: owner.identity)
    var session = try Self.session(.handoff, fixture)
    var accepted: Owned<UnixSocket>?
    _ = try Self.advance(&session) {
      if let socket = try listener.accept() { accepted = Owned(socket) }
      return accepted != nil
    }
    let socket = try required(accepted)
    let channel = try HandoffLink(UnixSocket(adopting: try socket.value.descriptor.duplicate()))
    var arrival = try required(try channel.receive(timeout: Self.timeout, from: "coordinator"))
    let block = try ControlBlock(adopting: try required(arrival.descriptors.take(0)))
    // Nothing comes before the source has said something.
    #expect(try Self.advance(&session) { true } == nil)
    try fixture.blocks.publish(block)
    try channel.send(.accepted)
    try channel.send(
      .manifest, descriptors: try HeldDescriptorsTests.bag(.none, in: fixture.temporary.directory))
    #expect(try Self.advance(&session) { !block.heldDescriptors(of: .coordinator).isEmpty } == nil)
    #expect(try Self.advance(&session) { block.heartbeat(of: .coordinator) > 0 } == nil)
    #expect(block.claim(.source, by: .source) == .made)
    #expect(block.claim(.resumed, by: .source) == .made)
    block.pass(.entered, at: 1)
    #expect(try Self.advance(&session) { true } == nil)
    block.pass(.reported, at: 1)
    #expect(try Self.advance(&session) { false } == .source)
    // Asked again it says the same.
    #expect(try Self.advance(&session) { false } == .source)
  }

  /// One that waits may be called off at any time.
  @Test func whatWaitsIsCalledOff() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let listener = try UnixSocket.listen(in: fixture.temporary.directory, name: "control.sock")
    let old = try fixture.makeBlock(4, .resumed)
    old.enroll(.source, as: owner.identity)
    let isCancelled = OneWayFlag()
    var session = try Self.session(.handoff, fixture, isCancelled: { isCancelled.isUp })
    var accepted: Owned<UnixSocket>?
    _ = try Self.advance(&session) {
      if let socket = try listener.accept() { accepted = Owned(socket) }
      return accepted != nil
    }
    isCancelled.raise()
    #expect(try Self.advance(&session) { false } == .refused)
    #expect(session.reason?.code != nil || session.reason != nil)
    _ = accepted
  }

  @Test func aHungCoordinatorIsEndedWithoutWaiting() throws {
    let fixture = try BlockFixture()
    let standIn = try StandIn(in: fixture, heartbeat: 1)
    let block = try fixture.makeBlock(2, .resumed)
    let owner = try Sleeper()
    block.enroll(.source, as: owner.identity)
    for mark in [TimelineMark.entered, .reported] { block.pass(mark, at: 1) }
    var session = try Self.session(.recovery, fixture, settle: 20_000_000)
    #expect(try Self.advance(&session) { false } == .source)
    #expect(!standIn.isAlive)
  }

  @Test func anAbortIsAdvanced() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4)
    block.enroll(.source, as: owner.identity)
    var abort = HandoffAbort(
      name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), in: PatientWorld())
    guard case .waits(let wait) = try abort.advance() else { throw Absent() }
    #expect(wait.word?.state == .source && block.state == .source)
    #expect(block.claim(.resumed, by: .source) == .made)
    block.pass(.entered, at: 1)
    guard case .ended(let end) = try abort.advance() else { throw Absent() }
    #expect(end == .calledOff)
  }
}
