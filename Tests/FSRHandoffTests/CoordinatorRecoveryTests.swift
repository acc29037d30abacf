import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// What a recovery takes of a coordinator that was there before it, and whom it leaves alone.
@Suite struct CoordinatorRecoveryTests {
  /// Longer than anything takes, in nanoseconds.
  private static let timeout: UInt64 = 60_000_000_000

  /// A process that is gone.
  private static func dead() throws -> ProcessIdentity {
    let sleeper = try Sleeper()
    sleeper.end()
    return sleeper.identity
  }

  private static func recovery(
    _ fixture: borrowing BlockFixture, timeout: UInt64 = timeout, settle: UInt64 = 20_000_000
  ) throws -> CoordinatorSession {
    var limits = HandoffLimits()
    limits.settle = settle
    limits.pollInterval = 1_000_000
    limits.reap = 500_000_000
    var options = CoordinatorSession.Options()
    options.timeout = timeout
    return CoordinatorSession(
      .recovery, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), options: options, limits: limits)
  }

  /// A block whose source and destination are dead, with a complete checkpoint that nobody has but `standIn`.
  private static func orphan(_ fixture: borrowing BlockFixture, heldBy standIn: StandIn) throws
    -> ControlBlock
  {
    let block = try fixture.makeBlock(2)
    block.enroll(.source, as: try dead())
    block.enroll(.destination, as: try dead())
    block.enroll(.coordinator, as: standIn.identity)
    block.holdDescriptors(.coordinator, numbers: standIn.numbers)
    block.deadline = MonotonicClock.now() + timeout
    block.complete(length: 100, checksum: 1)
    return block
  }

  @Test func theDescriptorsOfAHungCoordinatorAreTakenBeforeItsLife() throws {
    let fixture = try BlockFixture()
    let standIn = try StandIn(in: fixture, heartbeat: 1)
    let block = try Self.orphan(fixture, heldBy: standIn)
    block.noteAsker(pid: 7, user: 1000)
    block.noteExecutable("/opt/fsr/bin/fsr", of: .source)
    var recovery = try Self.recovery(fixture)
    _ = recovery.run()
    #expect(!standIn.isAlive)
    // Whoever comes after this one finds them where it looks for a coordinator's.
    #expect(block.identity(of: .coordinator) == .current())
    #expect(block.heldDescriptors(of: .coordinator).count == standIn.numbers.count)
    // With them it could try successors; the executable that they name runs no guest.
    #expect(block.state == .successor)
    #expect(try fixture.blocks.attempts().contains(3))
    let next = try #require(try fixture.blocks.open(3))
    #expect(next.isComplete && next.checkpointExtent == (100, 1) && next.generation == block.generation)
    #expect(next.identity(of: .coordinator) == .current() && next.identity(of: .source) == nil)
    // It is the same handoff, of the same VMM, that somebody has asked for.
    let asker = try #require(next.asker)
    #expect(asker == (7, 1000) && next.executable(of: .source) == "/opt/fsr/bin/fsr")
  }

  @Test func aCoordinatorThatBeatsIsLeftAlone() throws {
    let fixture = try BlockFixture()
    // Its last beat is ahead of every look.
    let standIn = try StandIn(in: fixture, heartbeat: .max / 2)
    let block = try Self.orphan(fixture, heldBy: standIn)
    var recovery = try Self.recovery(fixture, timeout: 30_000_000)
    #expect(recovery.run() == .refused)
    #expect(
      recovery.reason?.code == .busy && recovery.isObstructed && standIn.isAlive && block.state == .none)
  }

  /// A beat that is not as old as the limit is none of a hung one.
  @Test func aCoordinatorIsGivenAllOfItsTime() throws {
    let fixture = try BlockFixture()
    let standIn = try StandIn(in: fixture, heartbeat: MonotonicClock.now())
    _ = try Self.orphan(fixture, heldBy: standIn)
    var recovery = try Self.recovery(fixture, timeout: 30_000_000, settle: Self.timeout)
    #expect(recovery.run() == .refused)
    #expect(standIn.isAlive)
  }

  /// A victor sees its losers gone; where it is dead itself somebody else does.
  @Test(arguments: [ResumeState.resumed, .destination]) func aLoserWhoseVictorIsDeadIsEnded(
    state: ResumeState
  ) throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(2, state)
    let loser = try Sleeper()
    block.enroll(state == .resumed ? .source : .destination, as: try Self.dead())
    block.enroll(state == .resumed ? .destination : .source, as: loser.identity)
    var recovery = try Self.recovery(fixture)
    #expect(recovery.run() == .lost)
    #expect(!loser.isAlive)
  }

  /// A living one is its victor's: nobody else kills it.
  @Test func aLoserWhoseVictorLivesIsLeftToIt() throws {
    let fixture = try BlockFixture()
    let (victor, loser) = (try Sleeper(), try Sleeper())
    let block = try fixture.makeBlock(2, .resumed)
    block.enroll(.source, as: victor.identity)
    block.enroll(.destination, as: loser.identity)
    for mark in [TimelineMark.entered, .reported] { block.pass(mark, at: 1) }
    var recovery = try Self.recovery(fixture)
    #expect(recovery.run() == .source)
    #expect(loser.isAlive && victor.isAlive)
  }

  /// A victor says its last word when its losers are gone: who has no descriptor left to look for himself takes that for it.
  @Test func whoHasNoRoomForALookWaitsForTheLastWordAndNoLonger() async {
    await #expect(processExitsWith: .success) {
      let fixture = try BlockFixture()
      let (victor, loser) = (try Sleeper(), try Sleeper())
      let block = try fixture.makeBlock(2, .resumed)
      block.enroll(.source, as: victor.identity)
      block.enroll(.destination, as: loser.identity)
      for mark in [TimelineMark.entered, .reported] { block.pass(mark, at: 1) }
      let (clock, limits) = (LookClock(), HandoffLimits())
      let taken = Mutex<[Owned<OwnedDescriptor>]>([])
      var recovery = CoordinatorSession(
        .recovery, name: "vm", folder: try fixture.temporary.directory.duplicate(),
        blocks: try fixture.blocks.duplicate(), limits: limits,
        in: LinuxWorld(clock: {
          clock.time += limits.pollInterval
          return clock.time
        }),
        onLook: { _ in
          while let one = try? OwnedDescriptor.open("/dev/null", .read) {
            let held = Owned(one)
            taken.withLock { $0.append(held) }
          }
        })
      let begin = clock.time
      #expect(recovery.run() == .source)
      #expect(clock.time - begin < limits.reap && taken.withLock { $0.count } > 0)
      #expect(loser.isAlive && victor.isAlive)
    }
  }

  @Test func whatNobodyHoldsIsLost() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(2)
    block.enroll(.source, as: try Self.dead())
    block.enroll(.destination, as: try Self.dead())
    block.complete(length: 100, checksum: 1)
    var recovery = try Self.recovery(fixture)
    #expect(recovery.run() == .lost)
    #expect(recovery.reason == Reason("source and destination died", code: .lost))
  }

  /// A clock that goes on with each look.
  private final class LookClock: Sendable {
    private let moment = Atomic<UInt64>(1000)
    var time: UInt64 {
      get { moment.load(ordering: .relaxed) }
      set { moment.store(newValue, ordering: .relaxed) }
    }
  }

  private final class LookCount {
    var looks = 0
    /// At which look the word had moved; 0 before.
    var moved = 0
  }

  /// Where a source copies nothing else may change for long: as long as it says that it looks after that, it goes on.
  @Test func aRecoveryLeavesASourceAloneThatBeats() throws {
    let fixture = try BlockFixture()
    let (source, destination) = (try Sleeper(), try Sleeper())
    let block = try fixture.makeBlock(2)
    block.enroll(.source, as: source.identity)
    block.enroll(.destination, as: destination.identity)
    block.deadline = .max / 2
    var limits = HandoffLimits()
    limits.pollInterval = 1_000_000
    limits.reap = 1_000_000
    var options = CoordinatorSession.Options()
    options.timeout = .max / 2
    let (clock, seen, step) = (LookClock(), LookCount(), limits.settle / 2)
    let beats = 50
    var recovery = CoordinatorSession(
      .recovery, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), options: options, limits: limits,
      in: LinuxWorld(clock: { clock.time }),
      onLook: { block in
        clock.time += step
        seen.looks += 1
        if seen.looks <= beats { block.beat(.source, at: clock.time) }
        if seen.moved == 0, block.state != .none { seen.moved = seen.looks }
      })
    _ = recovery.run()
    // Given up only when it has said nothing for long.
    #expect(seen.moved > beats, "the word has moved by look \(seen.moved)")
    #expect(block.reason(of: .coordinator) != nil)
  }

  /// Before it is prepared nothing changes of a successor that maps a large memory.
  @Test func aSuccessorHasLongerUntilItIsPrepared() throws {
    let fixture = try BlockFixture()
    let successor = try Sleeper()
    let block = try fixture.makeBlock(2, .destVerify)
    block.enroll(.destination, as: successor.identity)
    block.complete(length: 100, checksum: 1)
    block.deadline = .max / 2
    var limits = HandoffLimits()
    limits.pollInterval = 1_000_000
    let (clock, step) = (LookClock(), limits.settle / 10)
    let begin = clock.time
    var recovery = CoordinatorSession(
      .recovery, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), limits: limits, in: LinuxWorld(clock: { clock.time }),
      onLook: { _ in clock.time += step })
    #expect(recovery.run() == .stunned)
    #expect(clock.time - begin >= limits.answer && successor.isAlive)
  }
}
