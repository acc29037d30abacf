import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// What a coordinator does beside its machine: it says that it lives, and asks a source.
@Suite struct CoordinatorSessionTests {
  /// Longer than anything takes, in nanoseconds.
  private static let timeout: UInt64 = 60_000_000_000

  private static func wait(until condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicClock.now() + timeout
    while try !condition() {
      if MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(500_000)
    }
    return true
  }

  /// A handoff whose source is played by the test.
  private final class Handoff: Sendable {
    let owner: Sleeper
    let isCancelled = OneWayFlag()
    let listener: Owned<UnixSocket>
    private let thread = Mutex<OSThread?>(nil)
    private let outcome = Mutex<(end: HandoffEnd, reason: Reason?)?>(nil)

    /// - Parameter version: the protocol's, as the source has said it; 0 where it says none.
    init(
      _ fixture: borrowing BlockFixture, timeout: UInt64 = timeout, speaking version: UInt16 = 0,
      plan: HandoffPlan = HandoffPlan()
    ) throws {
      owner = try Sleeper()
      listener = Owned(try UnixSocket.listen(in: fixture.temporary.directory, name: "control.sock"))
      let old = try fixture.makeBlock(4, .resumed)
      old.enroll(.source, as: owner.identity, speaking: version)
      old.pass(.reported, at: 1)
      var limits = HandoffLimits()
      limits.pollInterval = 1_000_000
      limits.reap = 500_000_000
      var options = CoordinatorSession.Options()
      options.timeout = timeout
      options.maxDowntime = 77
      options.plan = plan
      let isCancelled = isCancelled
      let session = Owned(
        Mutex(
          CoordinatorSession(
            .handoff, name: "vm", folder: try fixture.temporary.directory.duplicate(),
            blocks: try fixture.blocks.duplicate(), options: options, limits: limits,
            isCancelled: { isCancelled.isUp })))
      let started = try OSThread.start(name: "coordinator") { [self] in
        let end = session.value.withLock { ($0.run(), $0.reason) }
        outcome.withLock { $0 = end }
      }
      thread.withLock { $0 = started }
    }

    /// The connection of whoever asks, the block that came with it, and in which words it asks.
    func request() throws -> (channel: Owned<HandoffLink>, block: ControlBlock, bytes: [UInt8]) {
      var socket: Owned<UnixSocket>?
      _ = try CoordinatorSessionTests.wait {
        if let one = try listener.value.accept() { socket = Owned(one) }
        return socket != nil
      }
      let channel = Owned(try HandoffLink(UnixSocket(adopting: try socket!.value.descriptor.duplicate())))
      var arrival = try required(
        try socket!.value.receive(
          limit: UnixSocket.messageLimit, maximumDescriptors: 2, timeout: timeout))
      guard case .request = try Message(decoding: arrival.bytes) else { throw Absent() }
      let block = try ControlBlock(adopting: try required(arrival.descriptors.take(0)))
      return (channel, block, arrival.bytes)
    }

    func ended() -> (end: HandoffEnd, reason: Reason?)? {
      thread.withLock { $0.take() }?.join()
      return outcome.withLock { $0 }
    }
  }

  private static func heartbeat(_ fixture: borrowing BlockFixture) throws -> UInt64 {
    guard case .held(by: let holder?) = try VMLock.look(in: fixture.temporary.directory) else { return 0 }
    return holder.heartbeat
  }

  /// Whether lock and block are told, again and again, that the coordinator lives.
  private static func beats(_ fixture: borrowing BlockFixture, _ block: ControlBlock) throws -> Bool {
    for _ in 0..<3 {
      let (lock, told) = (try heartbeat(fixture), block.heartbeat(of: .coordinator))
      let isNewer = try wait { try heartbeat(fixture) > lock && block.heartbeat(of: .coordinator) > told }
      if !isNewer { return false }
    }
    return true
  }

  @Test func itSaysThatItLivesAsLongAsItIsAtWork() throws {
    let fixture = try BlockFixture()
    let handoff = try Handoff(fixture)
    let (channel, block, _) = try handoff.request()
    #expect(block.attempt == 5 && block.generation == 1 && block.maxDowntime == 77 && block.state == .none)
    #expect(block.identity(of: .source) == handoff.owner.identity)
    #expect(block.identity(of: .coordinator) == .current() && block.identity(of: .destination) == nil)
    try fixture.blocks.publish(block)
    try channel.value.send(.accepted)
    // It waits for the descriptors, then for what becomes of it.
    let beatsAhead = try Self.beats(fixture, block)
    #expect(beatsAhead)
    try channel.value.send(
      .manifest, descriptors: try HeldDescriptorsTests.bag(.none, in: fixture.temporary.directory))
    let arrival = try channel.value.receive(timeout: Self.timeout, from: "coordinator")
    let answer = try required(arrival).message
    #expect(answer == .holding)
    #expect(block.heldDescriptors(of: .coordinator).count == 4)
    let beatsThen = try Self.beats(fixture, block)
    #expect(beatsThen)
    // The source calls it off, and says its last word after a while.
    #expect(block.claim(.source, by: .source) == .made)
    #expect(block.claim(.resumed, by: .source) == .made)
    block.pass(.entered, at: 1)
    let beatsLast = try Self.beats(fixture, block)
    #expect(beatsLast)
    block.pass(.reported, at: 1)
    let end = handoff.ended()?.end
    #expect(end == .source)
    let isFree = if case .free = try VMLock.look(in: fixture.temporary.directory) { true } else { false }
    #expect(isFree)
    // The older one leads to nobody any more.
    #expect(try fixture.blocks.attempts() == [5])
  }

  /// A source of a build that knows no plans is asked in words that it understands.
  @Test(arguments: [0, 1, 2, 3] as [UInt16]) func aSourceIsAskedInTheWordsOfItsVersion(_ version: UInt16)
    throws
  {
    let fixture = try BlockFixture()
    let plan = HandoffPlan(depth: .trial, swap: .mirrored(path: "/neu", bytesPerSecond: 9))
    let handoff = try Handoff(fixture, speaking: version, plan: plan)
    let (channel, block, bytes) = try handoff.request()
    #expect(bytes == Message.request(HandoffRequest(plan: plan)).encoded(speaking: version))
    // What it has said is said of it in the next block too.
    #expect(block.version(of: .source) == max(1, version))
    try channel.value.send(.refused(Reason("enough")))
    let end = handoff.ended()
    #expect(end?.end == .refused && end?.reason == Reason("enough"))
  }

  /// An interrupt moves the word, and says why.
  @Test func whoIsInterruptedCallsItOff() throws {
    let fixture = try BlockFixture()
    let handoff = try Handoff(fixture)
    let (channel, block, _) = try handoff.request()
    try fixture.blocks.publish(block)
    try channel.value.send(.accepted)
    handoff.isCancelled.raise()
    let isMoved = Self.wait { block.state == .source }
    #expect(
      isMoved && block.reason(of: .coordinator) == Reason("a signal interrupted it", code: .interrupted))
    _ = block.claim(.resumed, by: .source)
    block.pass(.entered, at: 1)
    block.pass(.reported, at: 1)
    let end = handoff.ended()?.end
    #expect(end == .source)
  }

  /// Nothing is begun beside what is left of an earlier one, or without an owner.
  @Test func anEarlierHandoffThatIsNotOverIsInTheWay() throws {
    for (state, hasOwner, hasLoser, code) in [
      (ResumeState.resumed, true, true, ReasonCode.unsettled),
      (.destination, true, true, .unsettled), (.resumed, false, false, .lost),
      (.source, true, false, .unsettled),
    ] {
      let fixture = try BlockFixture()
      let (owner, loser) = (try Sleeper(), try Sleeper())
      let block = try fixture.makeBlock(4, state)
      let isSource = state != .destination
      block.enroll(isSource ? .source : .destination, as: owner.identity)
      block.enroll(isSource ? .destination : .source, as: loser.identity)
      if !hasOwner { owner.end() }
      if !hasLoser { loser.end() }
      var limits = HandoffLimits()
      limits.reap = 20_000_000
      var session = CoordinatorSession(
        .handoff, name: "vm", folder: try fixture.temporary.directory.duplicate(),
        blocks: try fixture.blocks.duplicate(), limits: limits)
      #expect(session.run() == .refused)
      #expect(session.isObstructed && session.reason?.code == code, "\(state)")
      #expect(try fixture.blocks.attempts() == [4])
      #expect(block.state == state && loser.isAlive == hasLoser)
    }
  }

  /// What a coordinator that is gone has left under way, as its parties have it.
  enum Left: CaseIterable {
    case underWay, late, complete, stunned, verifying, withoutSource, withoutDestination, stopped
  }

  /// Waited for only as long as those who are left may still bring it to its end; else somebody has to settle it.
  @Test(arguments: Left.allCases) func whatGoesOnByItselfIsWaitedForAndNothingElse(left: Left) throws {
    let fixture = try BlockFixture()
    let (source, destination) = (try Sleeper(), try Sleeper())
    let block = try fixture.makeBlock(4, left == .verifying ? .destVerify : .none)
    block.enroll(.source, as: source.identity)
    block.enroll(.destination, as: destination.identity)
    block.deadline = left == .late ? MonotonicClock.now() - 1 : MonotonicClock.now() + Self.timeout
    switch left {
    case .complete: block.complete(length: 1, checksum: 1)
    case .stunned: block.pass(.stunned, at: 1)
    case .withoutSource: source.end()
    case .withoutDestination: destination.end()
    case .stopped: try Self.stop(source)
    case .underWay, .late, .verifying: break
    }
    var session = CoordinatorSession(
      .handoff, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate())
    #expect(session.run() == .refused)
    let code: ReasonCode = left == .underWay ? .busy : .unsettled
    #expect(session.isObstructed && session.reason?.code == code, "\(session.reason as Any)")
    #expect(try fixture.blocks.attempts() == [4])
  }

  private static func stop(_ sleeper: Sleeper) throws {
    let process = try required(try ProcessDescriptor.open(sleeper.identity))
    _ = try process.signal(SignalNumber.stop)
    #expect(wait { sleeper.identity.isStopped })
  }

  @Test func aVMMThatASignalHasStoppedIsNamedAndNotAsked() throws {
    let fixture = try BlockFixture()
    let owner = try Sleeper()
    let block = try fixture.makeBlock(4, .resumed)
    block.enroll(.source, as: owner.identity)
    let listener = try UnixSocket.listen(in: fixture.temporary.directory, name: "control.sock")
    try Self.stop(owner)
    var limits = HandoffLimits()
    limits.answer = 50_000_000
    var session = CoordinatorSession(
      .handoff, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), limits: limits)
    #expect(session.run() == .refused)
    #expect(
      session.reason?.remedy?.contains("`kill -CONT \(owner.pid)`") == true, "\(session.reason as Any)")
    let isAsked = try listener.accept() != nil
    #expect(!isAsked)
  }

  /// One that is never taken up leaves neither a draft nor a block.
  @Test func aRequestThatIsRefusedLeavesNothing() throws {
    let fixture = try BlockFixture()
    let handoff = try Handoff(fixture)
    let (channel, block, _) = try handoff.request()
    try channel.value.send(.refused(Reason("not today", code: .limits)))
    let outcome = handoff.ended()
    #expect(outcome?.end == .refused && outcome?.reason == Reason("not today", code: .limits))
    #expect(try fixture.temporary.directory.names(limit: 100).sorted() == ["4", "control.sock", "lock"])
    #expect(block.state == .source)
  }

  /// What the block says of it is not lost for a source that has nothing to add.
  @Test(arguments: [false, true]) func aRefusalWithoutWordsTakesTheirPlaceFromNobody(isAccepted: Bool) throws
  {
    let fixture = try BlockFixture()
    let handoff = try Handoff(fixture)
    let (channel, block, _) = try handoff.request()
    if isAccepted {
      try fixture.blocks.publish(block)
      try channel.value.send(.accepted)
      block.explain(.coordinator, Reason("somebody wants it so", code: .aborted))
      #expect(block.claim(.source, by: .coordinator) == .made)
    }
    try channel.value.send(.refused(Reason("")))
    if isAccepted {
      #expect(block.claim(.resumed, by: .source) == .made)
      block.pass(.entered, at: 1)
      block.pass(.reported, at: 1)
    }
    let outcome = handoff.ended()
    #expect(outcome?.end == (isAccepted ? .source : .refused) && outcome?.reason == nil)
  }

  /// A source that calls it off says why on the connection where the block has no words of its.
  @Test func aRefusalWithWordsIsWhy() throws {
    let fixture = try BlockFixture()
    let handoff = try Handoff(fixture)
    let (channel, block, _) = try handoff.request()
    try fixture.blocks.publish(block)
    try channel.value.send(.accepted)
    try channel.value.send(.refused(Reason("not today", code: .limits)))
    #expect(block.claim(.source, by: .source) == .made && block.claim(.resumed, by: .source) == .made)
    block.pass(.entered, at: 1)
    block.pass(.reported, at: 1)
    let outcome = handoff.ended()
    #expect(outcome?.end == .source && outcome?.reason == Reason("not today", code: .limits))
  }

  /// A source that hangs up without a word and lives has refused; one that has died took the guest along.
  @Test(arguments: [false, true]) func aSourceThatHangsUpIsLookedAt(dies: Bool) throws {
    let fixture = try BlockFixture()
    let handoff = try Handoff(fixture)
    var channel: Owned<HandoffLink>? = try handoff.request().channel
    if dies { handoff.owner.end() }
    channel = nil
    let end = handoff.ended()?.end
    #expect(end == (dies ? .lost : .refused))
    let isClosed = channel == nil
    #expect(isClosed)
  }
}
