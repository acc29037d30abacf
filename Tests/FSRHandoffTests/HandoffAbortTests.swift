import FSRHandoff
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// What an abort does to the newest block, in whatever state it finds that.
@Suite struct HandoffAbortTests {
  /// What it came to, with what it says.
  struct Outcome {
    let end: HandoffAbort.End
    let reason: String
    let attempt: UInt32?
  }

  /// Short only where it is to pass.
  private static func limits(answer: UInt64, reap: UInt64) -> HandoffLimits {
    var limits = HandoffLimits()
    limits.answer = answer
    limits.reap = reap
    return limits
  }

  private static func abort(
    _ fixture: borrowing BlockFixture, answer: UInt64 = 60_000_000_000, reap: UInt64 = 20_000_000,
    now: @escaping @Sendable () -> UInt64 = { MonotonicClock.now() },
    isCancelled: @escaping () -> Bool = { false }
  ) throws -> Outcome {
    var abort = HandoffAbort(
      name: "vm", folder: try fixture.temporary.directory.duplicate(), blocks: try fixture.blocks.duplicate(),
      limits: limits(answer: answer, reap: reap), in: LinuxWorld(clock: now), isCancelled: isCancelled)
    let end = try abort.run()
    return Outcome(end: end, reason: abort.reason?.description ?? "", attempt: abort.block?.attempt)
  }

  // MARK: nothing to do

  @Test func aVMWithoutBlocksIsGone() throws {
    let fixture = try BlockFixture()
    #expect(try Self.abort(fixture).end == .gone)
  }

  @Test(arguments: [ResumeState.resumed, .destination]) func aVMWithoutAHandoffIsLeftAlone(state: ResumeState)
    throws
  {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(3, state)
    block.enroll(state == .resumed ? .source : .destination, as: owner.identity)
    let outcome = try Self.abort(fixture)
    #expect(
      outcome.end == .nothing && outcome.reason == "no handoff of vm is under way" && outcome.attempt == 3)
    #expect(block.state == state && block.reason(of: .coordinator) == nil)
  }

  @Test(arguments: [ResumeState.resumed, .destination]) func aVMWhoseOwnerIsGoneIsLost(state: ResumeState)
    throws
  {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(3, state)
    block.enroll(state == .resumed ? .source : .destination, as: owner.identity)
    owner.end()
    #expect(try Self.abort(fixture).end == .lost)
  }

  @Test func aVMThatIsBeingStartedIsLeftAlone() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1, .destVerify, generation: 0)
    let outcome = try Self.abort(fixture)
    #expect(outcome.end == .nothing && outcome.reason.contains("being started") && block.state == .destVerify)
  }

  @Test func aSuccessorIsLeftAlone() throws {
    let fixture = try BlockFixture()
    let verifying = try fixture.makeBlock(5, .destVerify)
    let outcome = try Self.abort(fixture)
    #expect(outcome.end == .nothing && outcome.reason.contains("successor") && verifying.state == .destVerify)
    let next = try fixture.makeBlock(6, .successor)
    #expect(try Self.abort(fixture).end == .nothing)
    #expect(next.state == .successor)
  }

  // MARK: calling off

  /// Plays a source that takes the guest back as soon as it sees the word moved.
  private static func source(of block: ControlBlock) throws -> OSThread {
    try OSThread.start(name: "source") {
      while block.state != .source { block.wait(while: block.state, timeout: 1_000_000) }
      block.explain(.source, Reason("it was told to"))
      _ = block.claim(.resumed, by: .source)
      block.pass(.entered, at: MonotonicClock.now())
      block.announce()
    }
  }

  @Test(arguments: [ResumeState.none, .destVerify], [false, true])
  func anUndecidedHandoffIsCalledOffWhileItsSourceLives(state: ResumeState, isComplete: Bool) throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, state)
    block.enroll(.source, as: owner.identity)
    if isComplete { block.complete(length: 1, checksum: 1) }
    let source = try Self.source(of: try fixture.secondMapping(of: 4))
    let outcome = try Self.abort(fixture)
    source.join()
    #expect(outcome.end == .calledOff && outcome.reason == "it was told to" && outcome.attempt == 4)
    #expect(block.state == .resumed)
    #expect(
      block.reason(of: .coordinator)?.description.hasPrefix("aborted by uid \(Host.effectiveUserID)") == true)
  }

  @Test func aSourceThatDoesNotGoOnIsSaidToStandStill() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, .none)
    block.enroll(.source, as: owner.identity)
    let outcome = try Self.abort(fixture, answer: 20_000_000)
    #expect(outcome.end == .stunned && block.state == .source)
  }

  @Test(arguments: [ResumeState.none, .destVerify]) func aDeadSourceWithoutACheckpointIsLost(
    state: ResumeState
  ) throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, state)
    block.enroll(.source, as: owner.identity)
    owner.end()
    let outcome = try Self.abort(fixture)
    #expect(outcome.end == .lost && block.state == state)
  }

  /// Nobody could take the guest back: the word stays for those who can go on with it.
  @Test(arguments: [ResumeState.none, .destVerify]) func aDeadSourceWithACheckpointIsNotClaimedFor(
    state: ResumeState
  )
    throws
  {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, state)
    block.enroll(.source, as: owner.identity)
    block.complete(length: 1, checksum: 1)
    owner.end()
    let outcome = try Self.abort(fixture)
    #expect(outcome.end == .nothing && outcome.reason.contains("fsr recover vm") && block.state == state)
  }

  @Test func whatIsCalledOffAlreadyIsWaitedFor() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, .source)
    block.enroll(.source, as: owner.identity)
    // It asks for the time once before it looks, and again once it waits.
    let asked = Owned(Atomic<Int>(0))
    let outcome = try Self.abort(
      fixture,
      now: {
        if asked.value.add(1, ordering: .relaxed).newValue == 2 {
          _ = block.claim(.resumed, by: .source)
          block.pass(.entered, at: MonotonicClock.now())
        }
        return MonotonicClock.now()
      })
    #expect(outcome.end == .calledOff && block.state == .resumed)
  }

  @Test func aSourceThatDiesAfterItWasCalledOffIsLost() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, .source)
    block.enroll(.source, as: owner.identity)
    owner.end()
    #expect(try Self.abort(fixture).end == .lost)
    #expect(block.state == .source)
  }

  // MARK: a word that is written over

  /// A peer's scribbling is no reason to trap, nor to wait without end.
  @Test(arguments: [0, .max] + ResumeState.allCases.map { ResumeWord(attempt: 4, state: $0).bits })
  func aWordThatIsWrittenOverAfterwardsEndsTheAbort(word: UInt64) throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, .none)
    block.enroll(.source, as: owner.identity)
    block.complete(length: 1, checksum: 1)
    let file = try fixture.temporary.directory.openFile("4", .readWrite)
    let looks = Owned(Atomic<Int>(0))
    let outcome = try Self.abort(
      fixture, answer: 20_000_000,
      now: {
        // Twice before it waits for the source.
        if looks.value.add(1, ordering: .relaxed).newValue == 2 {
          try? file.write((0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }, at: 64)
        }
        return MonotonicClock.now()
      })
    #expect(outcome.end == .stunned)
  }

  @Test func aBlockThatIsOfNoUseIsRefusedWithARemedy() throws {
    for place in [0, 64] as [UInt64] {
      let fixture = try BlockFixture()
      _ = try fixture.makeBlock(4, .none)
      try fixture.temporary.directory.openFile("4", .readWrite).write(
        [UInt8](repeating: 0, count: 8), at: place)
      do {
        _ = try Self.abort(fixture)
        throw Absent()
      } catch let error as HandoffError { #expect("\(error)".contains("`fsr stop vm`"), "\(error)") }
    }
  }

  // MARK: who is at work

  /// Keeps the VM's lock in another process's place: this one's own, as coordinator of `block`.
  private static func lock(_ fixture: borrowing BlockFixture) throws -> Owned<VMLock> {
    guard case .taken(let lock) = try VMLock.attempt(in: fixture.temporary.directory) else { throw Absent() }
    return Owned(lock)
  }

  @Test(arguments: [ResumeState.resumed, .destination]) func aHandoffThatIsDecidedIsTooLate(
    state: ResumeState
  ) throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, state)
    block.enroll(state == .resumed ? .source : .destination, as: owner.identity)
    block.enroll(.coordinator, as: .current())
    let lock = try Self.lock(fixture)
    let outcome = try Self.abort(fixture)
    #expect(outcome.end == .nothing && outcome.reason.hasPrefix("too late") && block.state == state)
    _ = lock
  }

  @Test func aCoordinatorThatHasBegunNothingIsWaitedFor() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, .resumed)
    block.enroll(.source, as: owner.identity)
    let lock = try Self.lock(fixture)
    let outcome = try Self.abort(fixture, answer: 20_000_000)
    #expect(outcome.end == .nothing && outcome.reason.contains("try again") && block.state == .resumed)
    let looks = Owned(Atomic<Int>(0))
    let cancelled = try Self.abort(
      fixture, isCancelled: { looks.value.add(1, ordering: .relaxed).newValue > 2 })
    #expect(cancelled.end == .nothing && looks.value.load(ordering: .relaxed) == 3)
    _ = lock
  }

  /// A decided handoff of `source`'s guest, and the next one's draft.
  private static func draft(
    in fixture: borrowing BlockFixture, of source: ProcessIdentity, askedBy coordinator: ProcessIdentity
  ) throws -> (block: ControlBlock, draft: ControlBlock) {
    let block = try fixture.makeBlock(4, .resumed)
    block.enroll(.source, as: source)
    let draft = try fixture.blocks.create(
      attempt: 5, generation: 1, machine: BlockFixture.machine, state: .none)
    draft.enroll(.source, as: source)
    draft.enroll(.coordinator, as: coordinator)
    return (block, draft)
  }

  @Test func aDraftIsWithdrawnBeforeItsSourceTakesItUp() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let (block, draft) = try Self.draft(in: fixture, of: owner.identity, askedBy: .current())
    let lock = try Self.lock(fixture)
    let outcome = try Self.abort(fixture, answer: 20_000_000)
    #expect(outcome.end == .calledOff && outcome.attempt == 5 && outcome.reason.hasPrefix("aborted by uid"))
    #expect(draft.state == .source && block.state == .resumed)
    _ = lock
  }

  /// Whoever asks for the next handoff at once is not turned away for one that was called off: its coordinator is waited for,
  /// of a draft as of a block.
  @Test(arguments: [true, false]) func whoCoordinatedIsWaitedFor(isDraft: Bool) throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let (_, draft) = try Self.draft(in: fixture, of: owner.identity, askedBy: .current())
    if !isDraft { try fixture.blocks.publish(draft) }
    let lock = Owned(Mutex<Owned<VMLock>?>(try Self.lock(fixture)))
    let blocks = Owned(try fixture.blocks.duplicate())
    let looks = Owned(Atomic<Int>(0))
    let (isDone, isOver) = (OneWayFlag(), OneWayFlag())
    let coordinator = try OSThread.start(name: "coordinator") {
      while draft.state != .source { MonotonicClock.sleep(200_000) }
      if isDraft {
        _ = blocks.value.removeDraft(of: draft)
      } else {
        _ = draft.claim(.resumed, by: .source)
        draft.pass(.entered, at: 1)
      }
      // It has more to do than one look takes.
      let seen = looks.value.load(ordering: .acquiring)
      while looks.value.load(ordering: .acquiring) < seen + 50, !isOver.isUp {
        MonotonicClock.sleep(200_000)
      }
      isDone.raise()
      lock.value.withLock { $0 = nil }
    }
    let outcome = try Self.abort(
      fixture, reap: 60_000_000_000,
      now: {
        looks.value.add(1, ordering: .acquiringAndReleasing)
        return MonotonicClock.now()
      })
    let isAwaited = isDone.isUp
    isOver.raise()
    coordinator.join()
    #expect(outcome.end == .calledOff && isAwaited, "\(outcome)")
  }

  @Test func anothersDraftIsNotTouched() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let (block, draft) = try Self.draft(in: fixture, of: owner.identity, askedBy: owner.identity)
    let lock = try Self.lock(fixture)
    #expect(try Self.abort(fixture, answer: 20_000_000).end == .nothing)
    #expect(draft.state == .none && block.state == .resumed)
    _ = lock
  }
}
