import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// What a destination asks of its VMM, writes into the block and tells the source, in which order: with a source that the
/// test plays.
@Suite(.serialized) struct DestinationSessionTests {
  private static let timeout: UInt64 = 60_000_000_000

  /// A destination that is to take a guest, and the other ends of what it has.
  private final class Handoff: Sendable {
    let fixture: Owned<BlockFixture>
    let block: ControlBlock
    let source: Sleeper
    let guest: WatchedDestination
    let near: Owned<Mutex<HandoffLink?>>
    /// The memory of the checkpoint.
    let checkpoint: Owned<OwnedDescriptor>
    private let thread = Mutex<OSThread?>(nil)
    private let outcome = Mutex<
      (end: DestinationSession<WatchedDestination>.End, failure: String?, state: ResumeState)?
    >(nil)

    /// - Parameter isSuccessor: whether the block has no source, and is at `destVerify`.
    init(
      _ manners: WatchedDestination.Manners = .init(), sections: [SectionVersion] = [],
      isSuccessor: Bool = false,
      maxDowntime: UInt64 = timeout, reap: UInt64 = 20_000_000
    ) throws {
      let made = try BlockFixture()
      source = try Sleeper()
      let attempt: UInt32 = isSuccessor ? 4 : 3
      if isSuccessor {
        let old = try made.makeBlock(3, .successor)
        old.enroll(.source, as: source.identity)
      }
      block = try made.makeBlock(attempt, isSuccessor ? .destVerify : .none)
      if !isSuccessor { block.enroll(.source, as: source.identity) }
      block.enroll(.destination, as: .current())
      block.maxDowntime = maxDowntime
      checkpoint = Owned(try Memfd.create(name: "test-checkpoint", size: HeldDescriptorsTests.capacity))
      guest = WatchedDestination(try made.secondMapping(of: attempt), manners)
      let pair = try UnixSocket.pair()
      let far = Owned(UnixSocket(adopting: try pair.b.descriptor.duplicate()))
      let channel = try HandoffLink(UnixSocket(adopting: try pair.a.descriptor.duplicate()))
      var introduction = DescriptorBag()
      introduction.append(try block.descriptor.duplicate())
      introduction.append(try made.blocks.directory.descriptor.duplicate())
      try channel.send(
        .hello(Hello(isSuccessor: isSuccessor, sections: sections, build: "test")), descriptors: introduction)
      near = Owned(Mutex(channel))
      fixture = Owned(made)
      var limits = HandoffLimits()
      limits.pollInterval = 1_000_000
      limits.fence = 20_000_000
      limits.reap = reap
      let guest = guest
      let fixed = limits
      let started = try OSThread.start(name: "destination") { [self] in
        guard
          let session = try? DestinationSession(
            socket: UnixSocket(adopting: try far.value.descriptor.duplicate()), limits: fixed,
            guest: { guest })
        else { return }
        let end = session.run()
        outcome.withLock { $0 = (end, session.failure, session.block.state) }
      }
      thread.withLock { $0 = started }
    }

    var hasEnded: Bool { outcome.withLock { $0 != nil } }

    func answer() throws -> Message? {
      try near.value.withLock { channel in
        guard let arrival = try channel?.receive(timeout: timeout, from: "destination") else { return nil }
        return arrival.message
      }
    }

    /// Sends what a guest consists of; answers what the destination says.
    func describe() throws -> Message? {
      var bag = DescriptorBag()
      bag.append(try HeldDescriptorsTests.sealed(HeldDescriptorsTests.manifest().encoded))
      bag.append(try checkpoint.value.duplicate())
      for _ in 0..<2 { bag.append(try Memfd.create(name: "test-slot", size: 4096)) }
      try near.value.withLock { try $0?.send(.manifest, descriptors: bag) }
      return try answer()
    }

    func hangUp() { near.value.withLock { $0 = nil } }

    /// Writes a checkpoint, and says complete.
    func complete(
      attempt: UInt32 = 3, of machine: MachineIdentity = BlockFixture.machine, isBroken: Bool = false
    ) throws {
      var writer = CheckpointWriter(machine: machine, attempt: attempt, capacity: 4096)
      writer.section("all", version: 1) { $0.write(raw: [1, 2, 3]) }
      try checkpoint.value.write(writer.bytes, at: 0)
      block.complete(
        length: UInt64(writer.bytes.count), checksum: Checksum.of(writer.bytes) &+ (isBroken ? 1 : 0))
      block.ring()
    }

    /// Plays a source that goes on, once it was told to.
    func takeBack() -> Bool {
      let isTold = DestinationSessionTests.wait { self.block.state == .source }
      _ = block.claim(.resumed, by: .source)
      block.announce()
      return isTold
    }

    func ended() -> (end: DestinationSession<WatchedDestination>.End, failure: String?, state: ResumeState)? {
      thread.withLock { $0.take() }?.join()
      return outcome.withLock { $0 }
    }
  }

  private static func wait(for limit: UInt64 = timeout, until condition: () -> Bool) -> Bool {
    let deadline = MonotonicClock.now() + limit
    while !condition() {
      if MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(200_000)
    }
    return true
  }

  private static let prepared = ["prepare none"]
  private static let won = [
    "takeStorage destVerify", "load destVerify", "resume destination", "arrived destination",
    "keep destination",
  ]

  private static func agree(_ handoff: Handoff) throws {
    #expect(
      try handoff.answer()
        == .agreed(Agreement(version: HandoffProtocol.versions.upperBound, build: "watched")))
  }

  @Test func aGoodOneTakesTheGuestAndSeesTheLoserGone() throws {
    let handoff = try Handoff()
    try Self.agree(handoff)
    #expect(try handoff.describe() == .prepared)
    #expect(handoff.block.progress(of: .destination)! == (3, 4))
    #expect(handoff.block.heldDescriptors(of: .destination).count == 4)
    handoff.block.pass(.quiesced, at: 1)
    handoff.block.ring()
    let isRehearsed = Self.wait { handoff.guest.calls.last == "rehearse" }
    #expect(isRehearsed)
    try handoff.complete()
    #expect(handoff.guest.hasEntered() == true)
    let block = handoff.block
    #expect(block.state == .destination && block.time(of: .entered) != 0)
    // The source does not leave, and is made to.
    let outcome = handoff.ended()
    #expect(outcome?.end == .kept && outcome?.failure == nil && !handoff.source.isAlive)
    #expect(handoff.guest.calls == Self.prepared + ["rehearse"] + Self.won)
    let order = [TimelineMark.seen, .loaded, .decided, .entered, .reaped].map { block.time(of: $0) }
    #expect(order == order.sorted() && order[0] != 0)
    #expect(handoff.guest.loaded?.sections.first?.payload == [1, 2, 3])
    #expect(!block.hasReleased(.destination) && block.reason(of: .destination) == nil)
    // Void as it is, it stays as it was.
    #expect(throws: SystemError.self) { try handoff.checkpoint.value.write([0], at: 0) }
  }

  @Test func aLoserIsWaitedForAndNotKilledWhereItLeaves() throws {
    let handoff = try Handoff(reap: Self.timeout)
    try Self.agree(handoff)
    _ = try handoff.describe()
    try handoff.complete()
    _ = handoff.guest.hasEntered()
    // It waits, and says nothing of a loser that is gone before it is.
    #expect(handoff.block.time(of: .reaped) == 0 && handoff.source.isAlive)
    let end = MonotonicClock.now()
    handoff.source.end()
    #expect(handoff.ended()?.end == .kept)
    #expect(handoff.block.time(of: .reaped) >= end)
  }

  /// Somebody has written the decision in its place: all others go by it, and so does this one.
  @Test(arguments: [false, true]) func aDecisionThatWasMadeForItIsGoneBy(isBroken: Bool) throws {
    let handoff = try Handoff()
    try Self.agree(handoff)
    _ = try handoff.describe()
    let word = ResumeWord(attempt: 3, state: .destination).bits
    try handoff.block.descriptor.write(
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }, at: 64)
    try handoff.complete(isBroken: isBroken)
    #expect(handoff.guest.hasEntered() == !isBroken)
    let outcome = handoff.ended()
    #expect(outcome?.end == (isBroken ? .left : .kept) && handoff.block.state == .destination)
    #expect((outcome?.failure == nil) == !isBroken)
  }

  enum Flaw: CaseIterable {
    case checksum, attempt, machine, load, storage
  }

  @Test(arguments: Flaw.allCases) func whatCannotBeLoadedIsGivenBack(_ flaw: Flaw) throws {
    var manners = WatchedDestination.Manners()
    manners.loadFails = flaw == .load
    manners.refusals = flaw == .storage ? .max : 0
    let handoff = try Handoff(manners, maxDowntime: flaw == .storage ? 20_000_000 : Self.timeout)
    try Self.agree(handoff)
    _ = try handoff.describe()
    let machine = flaw == .machine ? MachineIdentity(high: 1, low: 1) : BlockFixture.machine
    try handoff.complete(attempt: flaw == .attempt ? 2 : 3, of: machine, isBroken: flaw == .checksum)
    #expect(handoff.guest.hasEntered() == false)
    // It stays, with all that it holds, until it is decided.
    let isGivenBack = Self.wait { handoff.block.state == .source }
    #expect(isGivenBack)
    let isReleased = Self.wait { handoff.block.hasReleased(.destination) }
    #expect(isReleased)
    let isTold = handoff.takeBack()
    let outcome = handoff.ended()
    #expect(isTold && outcome?.end == .left && outcome?.state == .resumed && handoff.source.isAlive)
    let calls = handoff.guest.calls
    #expect(
      calls.last?.hasPrefix("abandon") == true
        && !calls.contains { $0.hasPrefix("resume") || $0.hasPrefix("keep") })
    if flaw != .storage {
      #expect(handoff.block.reason(of: .destination) != nil && outcome?.failure != nil)
    }
    #expect(handoff.block.time(of: .loaded) == 0 && handoff.block.time(of: .entered) == 0)
  }

  @Test func oneThatIsCalledOffStaysUntilItIsDecided() throws {
    let handoff = try Handoff()
    try Self.agree(handoff)
    _ = try handoff.describe()
    _ = handoff.block.claim(.source, by: .coordinator)
    handoff.block.announce()
    let isReleased = Self.wait { handoff.block.hasReleased(.destination) }
    #expect(isReleased && handoff.guest.hasEntered() == false)
    // A process that has ended would have given its descriptors back.
    #expect(handoff.guest.calls == Self.prepared + ["abandon source"])
    let isTold = handoff.takeBack()
    let outcome = handoff.ended()
    #expect(isTold && outcome?.end == .left && outcome?.state == .resumed && handoff.source.isAlive)
  }

  @Test func storageIsNotTriedForOnceTheWordHasMoved() throws {
    let handoff = try Handoff(.init(refusals: .max))
    try Self.agree(handoff)
    _ = try handoff.describe()
    try handoff.complete()
    let tries = Self.wait { handoff.guest.calls.contains("takeStorage destVerify") }
    _ = handoff.block.claim(.source, by: .source)
    handoff.block.announce()
    #expect(tries && handoff.guest.hasEntered() == false)
    let isTold = handoff.takeBack()
    let isResumed = handoff.ended()?.state == .resumed
    let last = handoff.guest.calls.last ?? ""
    #expect(isTold && isResumed && last.hasPrefix("abandon"), "\(last)")
  }

  /// What it holds of the guest may be all that a successor's coordinator can find.
  @Test func aLoserStaysUntilASuccessorIsDecided() throws {
    let handoff = try Handoff(.init(refusals: .max))
    try Self.agree(handoff)
    _ = try handoff.describe()
    try handoff.complete()
    #expect(Self.wait { handoff.block.state == .destVerify })
    #expect(handoff.block.claim(.successor, by: .coordinator) == .made)
    handoff.block.announce()
    #expect(Self.wait { handoff.block.hasReleased(.destination) })
    let next = try handoff.fixture.value.makeBlock(4, .destVerify)
    // Only a mistake shows in this time.
    let leavesEarly = Self.wait(for: 100_000_000) { handoff.hasEnded }
    #expect(!leavesEarly)
    #expect(next.claim(.destination, by: .destination) == .made)
    next.announce()
    let outcome = handoff.ended()
    #expect(outcome?.end == .left && outcome?.state == .successor)
  }

  @Test func aSourceThatDiesBeforeItHasSaidCompleteLeavesNothingToWaitFor() throws {
    let handoff = try Handoff()
    try Self.agree(handoff)
    _ = try handoff.describe()
    handoff.source.end()
    #expect(handoff.ended()?.end == .left)
    #expect(handoff.guest.calls == Self.prepared + ["abandon none"] && handoff.block.state == .none)
  }

  @Test func aSourceThatHasDiedBehindCompleteNeedsNoRing() throws {
    let handoff = try Handoff()
    try Self.agree(handoff)
    _ = try handoff.describe()
    var writer = CheckpointWriter(machine: BlockFixture.machine, attempt: 3, capacity: 4096)
    writer.section("all", version: 1) { $0.write(raw: [4]) }
    try handoff.checkpoint.value.write(writer.bytes, at: 0)
    handoff.block.complete(length: UInt64(writer.bytes.count), checksum: Checksum.of(writer.bytes))
    handoff.source.end()
    #expect(handoff.ended()?.end == .kept)
    #expect(handoff.guest.calls == Self.prepared + Self.won)
  }

  @Test func whatCannotBePreparedIsSaid() throws {
    let handoff = try Handoff(.init(prepareFails: true))
    try Self.agree(handoff)
    guard case .refused(let why) = try handoff.describe() else { throw Absent() }
    #expect(
      why.what.contains("Wrong")
        && handoff.block.reason(of: .destination)?.description.contains("Wrong") == true)
    _ = handoff.block.claim(.source, by: .source)
    let isTold = handoff.takeBack()
    let outcome = handoff.ended()
    #expect(isTold && outcome?.end == .left && outcome?.failure?.contains("Wrong") == true)
    #expect(handoff.block.hasReleased(.destination))
  }

  /// A newer version than it reads, and a section that it does not know: refused only where it is needed.
  @Test(arguments: [
    ("all", 3, true, false), ("all", 2, true, true), ("new", 1, true, false), ("new", 1, false, true),
  ])
  func sectionsAreAgreedOn(name: String, version: Int, isNeeded: Bool, isFine: Bool) throws {
    let section = SectionVersion(name: name, version: UInt16(version), isNeeded: isNeeded)
    let handoff = try Handoff(sections: [section])
    switch try handoff.answer() {
    case .agreed: #expect(isFine)
    case .refused(let why): #expect(!isFine && why.what.contains(name) && why.code == .version)
    case let other: Issue.record("\(other as Any)")
    }
    _ = handoff.block.claim(.source, by: .source)
    _ = handoff.takeBack()
    handoff.hangUp()
    #expect(handoff.ended()?.end == .left)
  }

  /// Nobody has released to a successor: it fences who may still touch the guest, and runs only then.
  @Test(arguments: [true, false]) func aSuccessorFencesBeforeItRuns(hasReleased: Bool) throws {
    let handoff = try Handoff(isSuccessor: true, reap: Self.timeout)
    let old = try required(try handoff.fixture.value.blocks.open(3))
    if hasReleased { old.release(.source) }
    try Self.agree(handoff)
    try handoff.complete()
    // What it is sent it takes as complete.
    handoff.block.complete(
      length: handoff.block.checkpointExtent.length, checksum: handoff.block.checkpointExtent.checksum)
    try handoff.near.value.withLock { channel in
      var bag = DescriptorBag()
      bag.append(try HeldDescriptorsTests.sealed(HeldDescriptorsTests.manifest().encoded))
      bag.append(try handoff.checkpoint.value.duplicate())
      for _ in 0..<2 { bag.append(try Memfd.create(name: "test-slot", size: 4096)) }
      try channel?.send(.manifest, descriptors: bag)
    }
    #expect(handoff.guest.hasEnteredSoon() == true)
    #expect(handoff.source.isAlive == hasReleased && handoff.block.state == .destination)
    #expect(handoff.block.time(of: .prepared) != 0)
    handoff.source.end()
    #expect(handoff.ended()?.end == .kept)
    #expect(handoff.guest.calls == ["prepare destVerify"] + Self.won)
  }
}

extension WatchedDestination {
  /// The same where its vCPU may not have been made yet.
  func hasEnteredSoon() -> Bool? {
    while !calls.contains(where: { $0.hasPrefix("resume") || $0.hasPrefix("abandon") }) {
      MonotonicClock.sleep(200_000)
    }
    return hasEntered()
  }
}
