import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// What a source asks of its guest, writes into the block and tells the others, in which order: with a destination that
/// prepares itself and does nothing more.
@Suite(.serialized) struct SourceSessionTests {
  private static let timeout: UInt64 = 60_000_000_000

  /// What came of a handoff.
  private struct Outcome {
    let end: SourceSession<WatchedSource>.End
    let calls: [String]
    let block: ControlBlock
    let told: [Message]
    /// Descriptors that came with the manifest.
    let descriptors: Int

    /// Those marks that passed, in the order of their times.
    var marks: [TimelineMark] {
      TimelineMark.allCases.filter { block.time(of: $0) != 0 }.sorted {
        (block.time(of: $0), Self.order($0)) < (block.time(of: $1), Self.order($1))
      }
    }

    static func order(_ mark: TimelineMark) -> Int {
      // Declared last, as it came to be last.
      mark == .copied ? TimelineMark.prepared.rawValue * 2 + 1 : mark.rawValue * 2
    }
  }

  /// Hands a guest over to a destination of the name `vmm`.
  ///
  /// - Parameters:
  ///   - fence: nanoseconds for the destination to say that it touches nothing any more.
  ///   - reap: nanoseconds for the destination to leave, of which a good one needs few.
  ///   - beside: done beside the session, with the block and the coordinator's end.
  private static func handOver(
    to vmm: String = "prepares", _ manners: WatchedSource.Manners = .init(),
    depth: HandoffPlan.Depth = .handOver,
    maxDowntime: UInt64 = 30_000_000, timeout: UInt64 = timeout, coordinator other: Coordinator = .holds,
    fence: UInt64 = 20_000_000, reap: UInt64 = 3_600_000_000_000,
    beside: @escaping @Sendable (ControlBlock) -> Void = { _ in }
  ) throws -> Outcome {
    let fixture = try BlockFixture()
    let place = try TemporaryDirectory()
    let copying = try ChildProcess.spawn(
      executable: "/bin/cp", arguments: ["cp", BuiltCommand.path(of: "OtherVMM"), "\(place.path)/\(vmm)"],
      environment: [])
    _ = try copying.ended()
    let block = try fixture.blocks.create(
      attempt: 3, generation: 1, machine: BlockFixture.machine, state: .none)
    block.enroll(.source, as: .current())
    block.maxDowntime = maxDowntime
    block.deadline = MonotonicClock.now() + timeout
    let guest = try WatchedSource(block, startedAs: "\(place.path)/\(vmm)", manners)
    var pair = try UnixSocket.pair()
    let theirs = try UnixSocket(adopting: pair.b.descriptor.duplicate())
    var near: Owned<HandoffLink>? = Owned(
      try HandoffLink(UnixSocket(adopting: pair.a.descriptor.duplicate())))
    pair = try UnixSocket.pair()
    if other == .holds { try near?.value.send(.holding) }
    if other == .gone { near = nil }
    var limits = HandoffLimits()
    limits.pollInterval = 1_000_000
    limits.fence = fence
    limits.copies = 30_000_000
    limits.reap = reap
    let session = SourceSession(
      guest: guest, block: block, blocks: try fixture.blocks.duplicate(),
      coordinator: try HandoffLink(theirs),
      request: HandoffRequest(), plan: HandoffPlan(depth: depth), limits: limits)
    let companion = try OSThread.start(name: "companion") { beside(block) }
    let end = session.run()
    companion.join()
    var told: [Message] = []
    var descriptors = 0
    while let near, let arrival = try? near.value.receive(timeout: 0, from: "source") {
      if case .manifest = arrival.message { descriptors = arrival.descriptors.count }
      told.append(arrival.message)
    }
    return Outcome(end: end, calls: guest.calls, block: block, told: told, descriptors: descriptors)
  }

  /// What there is of a coordinator.
  enum Coordinator {
    case holds, silent, gone
  }

  private static func awaitComplete(_ block: ControlBlock) {
    let deadline = MonotonicClock.now() + timeout
    while !block.isComplete, MonotonicClock.now() < deadline { MonotonicClock.sleep(200_000) }
  }

  private static let toStun = ["describe none", "precopy none", "quiesce none", "stun none"]
  private static let taken = ["takeBack source", "resume resumed", "keep resumed"]

  @Test func aGuestThatNobodyTakesUpIsTakenBack() throws {
    let outcome = try Self.handOver()
    let block = outcome.block
    #expect(outcome.end == .kept)
    #expect(outcome.calls == Self.toStun + ["drain none", "save none", "releaseStorage none"] + Self.taken)
    #expect(block.state == .resumed && block.isComplete && !block.hasReleased(.source))
    let why = "the destination did not run the guest within 30 ms"
    #expect(block.reason(of: .source)?.description == why)
    #expect(
      outcome.marks == [
        .requested, .started, .negotiated, .prepared, .copied, .quiesced, .stunned, .left, .saved, .completed,
        .decided, .entered, .reaped,
      ])
    #expect(outcome.told == [.accepted, .manifest, .refused(Reason(why))] && outcome.descriptors == 4)
    #expect(block.heldDescriptors(of: .source).count == 4)
    #expect(block.identity(of: .destination) != nil && block.doorbell >= 3)
  }

  @Test func whatIsSaidToBeCompleteIsWhatWasSaved() throws {
    let held = Owned(Mutex<[UInt8]>([]))
    let sealed = Owned(Mutex(false))
    let outcome = try Self.handOver(maxDowntime: Self.timeout) { block in
      Self.awaitComplete(block)
      let length = Int(block.checkpointExtent.length)
      let number = block.heldDescriptors(of: .source).dropFirst().first ?? -1
      let manifest = block.heldDescriptors(of: .source).first ?? -1
      let file = try? OwnedDescriptor.open("/proc/self/fd/\(manifest)", .readWrite)
      sealed.value.withLock { $0 = (try? file?.write([0], at: 0)) == nil }
      if let file = try? OwnedDescriptor.open("/proc/self/fd/\(number)", .read) {
        held.value.withLock { $0 = (try? file.read(at: 0, count: length)) ?? [] }
      }
      _ = block.claim(.source, by: .coordinator)
      block.announce()
    }
    let bytes = held.value.withLock { $0 }
    let checkpoint = try Checkpoint(decoding: bytes)
    #expect(Checksum.of(bytes) == outcome.block.checkpointExtent.checksum)
    #expect(checkpoint.machine == BlockFixture.machine && checkpoint.attempt == 3)
    #expect(checkpoint.sections.map(\.payload) == [WatchedSource.payload])
    // What it is made of is nobody's to change.
    #expect(sealed.value.withLock { $0 })
  }

  @Test func aTrialTouchesNothing() throws {
    let outcome = try Self.handOver(depth: .trial)
    #expect(outcome.calls == ["describe none", "resume resumed", "keep resumed"])
    #expect(outcome.block.reason(of: .source)?.description.hasPrefix("it was a trial") == true)
    #expect(outcome.block.state == .resumed && outcome.block.time(of: .stunned) == 0)
  }

  @Test func aGuestThatCannotBeBroughtToRestGoesOn() throws {
    let outcome = try Self.handOver(.init(quiesceFails: true))
    #expect(
      outcome.calls == Self.toStun.dropLast() + ["resume resumed", "keep resumed"]
        && outcome.block.state == .resumed)
    #expect(outcome.block.reason(of: .source)?.description.contains("Wrong") == true)
    #expect(outcome.block.time(of: .entered) != 0 && outcome.block.time(of: .quiesced) == 0)
  }

  @Test func aGuestWhoseDevicesDoNotComeToRestIsTakenBack() throws {
    let outcome = try Self.handOver(.init(drainFails: true))
    #expect(outcome.calls == Self.toStun + ["drain none"] + Self.taken && !outcome.block.isComplete)
    #expect(outcome.block.reason(of: .source)?.description.contains("Wrong") == true)
  }

  @Test func aGuestThatCannotBeSavedIsTakenBack() throws {
    let outcome = try Self.handOver(.init(saveFails: true))
    #expect(
      outcome.calls == Self.toStun + ["drain none", "save none"] + Self.taken && !outcome.block.isComplete)
    #expect(outcome.block.reason(of: .source)?.description.contains("Wrong") == true)
  }

  /// Its memory has 8192 bytes, of which 32 are the checkpoint's head and 11 the section's.
  @Test func aCheckpointMayFillItsMemoryAndNoMore() throws {
    let payload = [UInt8](repeating: 7, count: 8192 - 32 - 11)
    let full = try Self.handOver(.init(payload: payload))
    #expect(full.block.isComplete && full.block.checkpointExtent.length == 8192)
    let outcome = try Self.handOver(.init(payload: payload + [7]))
    #expect(
      outcome.calls == Self.toStun + ["drain none", "save none"] + Self.taken && !outcome.block.isComplete)
    #expect(outcome.block.reason(of: .source)?.description.contains("8193") == true)
  }

  @Test func vCPUsThatDoNotStopAreLetGoOn() throws {
    let outcome = try Self.handOver(.init(isDeaf: true))
    #expect(outcome.calls == Self.toStun + ["cancelStun none"] + Self.taken)
    #expect(outcome.block.reason(of: .source)?.description == "the vCPUs did not stop within 30 ms")
  }

  @Test func aGuestThatSomethingElseKeepsFromItsRestIsSaidToBeKeptByThat() throws {
    let outcome = try Self.handOver(.init(isDeaf: true, hindrance: "the guest is being reset"))
    #expect(outcome.calls == Self.toStun + ["cancelStun none"] + Self.taken)
    let reason = outcome.block.reason(of: .source)
    #expect(reason?.what == "the guest is being reset, and did not come to rest within 30 ms")
    #expect(reason?.remedy == "try again, or allow more with --max-downtime")
  }

  @Test func storageThatIsNotToBeHadIsTriedForUntilItIs() throws {
    let outcome = try Self.handOver(.init(refusals: 3))
    let again = Array(repeating: "takeBack source", count: 3)
    #expect(
      outcome.calls == Self.toStun + ["drain none", "save none", "releaseStorage none"] + again + Self.taken)
  }

  /// One that lives and says nothing holds the handoff up; with one that is gone it goes on.
  @Test(arguments: [Coordinator.silent, .gone]) func nothingIsStoppedBeforeTheCoordinatorHasItsCopies(
    _ other: Coordinator
  )
    throws
  {
    let outcome = try Self.handOver(coordinator: other)
    if other == .gone {
      #expect(outcome.calls == Self.toStun + ["drain none", "save none", "releaseStorage none"] + Self.taken)
      return
    }
    #expect(outcome.calls == ["describe none", "resume resumed", "keep resumed"])
    #expect(
      outcome.block.reason(of: .source)?.description
        == "the coordinator's copying of descriptors took longer than allowed")
  }

  @Test func itSaysThatItLivesWhileItCopies() throws {
    let beats = Owned(Atomic<Int>(0))
    let outcome = try Self.handOver(.init(looks: .max)) { block in
      var last: UInt64 = 0
      let deadline = MonotonicClock.now() + Self.timeout
      while beats.value.load(ordering: .relaxed) < 3, MonotonicClock.now() < deadline {
        let now = block.heartbeat(of: .source)
        if now > last { beats.value.add(1, ordering: .relaxed) }
        last = max(last, now)
        MonotonicClock.sleep(200_000)
      }
      block.explain(.coordinator, Reason("enough"))
      _ = block.claim(.source, by: .coordinator)
      block.announce()
    }
    #expect(beats.value.load(ordering: .relaxed) == 3)
    // What was called off meanwhile was never stopped, and whoever called it off has said why.
    #expect(outcome.calls == ["describe none", "precopy none", "resume resumed", "keep resumed"])
    #expect(outcome.block.copiedBytes == 10 && outcome.block.progress(of: .source)! == (10, 20))
    #expect(
      outcome.block.reason(of: .source) == nil
        && outcome.block.reason(of: .coordinator)?.description == "enough"
    )
  }

  /// Moved between release and complete, by whom it may: the checkpoint is then never said to be complete.
  @Test func aWordThatMovesInTheStunIsFollowed() throws {
    let outcome = try Self.handOver(
      .init(atRelease: { _ = $0.claim(.source, by: .coordinator) }), maxDowntime: Self.timeout)
    #expect(outcome.calls == Self.toStun + ["drain none", "save none", "releaseStorage none"] + Self.taken)
    #expect(!outcome.block.isComplete)
  }

  @Test func aDestinationThatDiesInTheStunIsNotWaitedFor() throws {
    let outcome = try Self.handOver(maxDowntime: Self.timeout) { block in
      Self.awaitComplete(block)
      guard let identity = block.identity(of: .destination),
        let process = try? required(try ProcessDescriptor.open(identity))
      else { return }
      _ = try? process.signal(SignalNumber.kill)
    }
    #expect(outcome.calls == Self.toStun + ["drain none", "save none", "releaseStorage none"] + Self.taken)
    #expect(outcome.block.reason(of: .source)?.description == "the destination died")
  }

  /// One that has said so touches nothing any more: its end is not waited for, nor brought about.
  @Test func aDestinationThatHasLetGoIsNotFenced() throws {
    let outcome = try Self.handOver(fence: Self.timeout) { block in
      Self.awaitComplete(block)
      block.release(.destination)
    }
    #expect(outcome.calls == Self.toStun + ["drain none", "save none", "releaseStorage none"] + Self.taken)
    let stood = outcome.block.time(of: .decided) - outcome.block.time(of: .completed)
    #expect(stood < Self.timeout, "it was fenced for \(stood) ns all the same")
  }

  @Test func aGuestThatIsElsewhereIsLetGoOf() throws {
    let isDecided = OneWayFlag()
    let outcome = try Self.handOver(maxDowntime: Self.timeout) { block in
      Self.awaitComplete(block)
      _ = block.claim(.destVerify, by: .destination)
      isDecided.raise()
      _ = block.claim(.destination, by: .destination)
      block.announce()
    }
    #expect(outcome.end == .left && isDecided.isUp)
    #expect(
      outcome.calls == Self.toStun + [
        "drain none", "save none", "releaseStorage none", "relinquish destination",
      ])
    #expect(outcome.block.hasReleased(.source) && outcome.block.time(of: .reported) == 0)
  }

  /// Withdrawn by somebody who says why, before it had its name: that is what the coordinator is told.
  @Test func aDraftThatIsCalledOffIsRefusedWithThatReason() throws {
    let fixture = try BlockFixture()
    let block = try fixture.blocks.create(
      attempt: 3, generation: 1, machine: BlockFixture.machine, state: .none)
    block.deadline = MonotonicClock.now() + Self.timeout
    let why = Reason("somebody wants it so", code: .aborted)
    let blocks = Owned(try fixture.blocks.duplicate())
    let guest = StillSource(
      [], DescriptorBag(),
      body: {
        block.explain(.coordinator, why)
        _ = block.claim(.source, by: .coordinator)
        _ = blocks.value.removeDraft(of: block)
      })
    let pair = try UnixSocket.pair()
    let near = try HandoffLink(pair.a)
    let session = SourceSession(
      guest: guest, block: block, blocks: try fixture.blocks.duplicate(),
      coordinator: try HandoffLink(pair.b),
      request: HandoffRequest(), plan: HandoffPlan())
    let end = session.run()
    let told = try near.receive(timeout: 0, from: "source")?.message
    #expect(end == .kept && told == .refused(why) && !guest.isTouched.isUp)
  }

  /// Has `state` written into the word, in whoever's name, and complete said besides where `isSaidComplete`.
  private static func lie(_ state: ResumeState, _ isSaidComplete: Bool) -> @Sendable (ControlBlock) -> Void {
    { block in
      let word = ResumeWord(attempt: 3, state: state).bits
      if isSaidComplete { try? block.descriptor.write([3, 0, 0, 0], at: 128) }
      try? block.descriptor.write((0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }, at: 64)
    }
  }

  /// A lie in the stun once the state is saved: whoever has read the checkpoint may run the guest by now, and so this
  /// process may not.
  @Test(arguments: [false, true])
  func aVictoryBehindTheCheckpointIsGoneBy(isSaidComplete: Bool) throws {
    var manners = WatchedSource.Manners()
    manners.atRelease = Self.lie(.destination, isSaidComplete)
    let outcome = try Self.handOver(manners)
    #expect(outcome.end == .left && !outcome.calls.contains { $0.hasPrefix("resume") }, "\(outcome.calls)")
  }

  /// A lie in the stun, before there is a checkpoint: whoever could believe it is ended first.
  @Test(arguments: [ResumeState.destination, .successor], [false, true])
  func aVictoryInTheStunThatNobodyHasWonIsUndone(state: ResumeState, isSaidComplete: Bool) throws {
    var manners = WatchedSource.Manners()
    manners.atDrain = Self.lie(state, isSaidComplete)
    let outcome = try Self.handOver(manners)
    #expect(outcome.end == .kept && outcome.block.state == .resumed)
    #expect(
      outcome.calls.last == "keep resumed" && outcome.calls.contains("takeBack source"), "\(outcome.calls)")
  }

  /// A destination that dies, says nothing, or something else.
  @Test(arguments: [
    ("waits", "the destination's answer took longer"), ("other-protocol", "protocol version 99"),
    ("other-message", "prepared where agreed is due"), ("agrees-twice", "agreed where prepared is due"),
  ]) func aDestinationThatDoesNotPrepareEndsIt(vmm: String, why: String) throws {
    // One that does not listen is killed; the others leave once they are hung up on, and else when their own minute is over.
    let isDeaf = vmm == "waits"
    let outcome = try Self.handOver(
      to: vmm, timeout: isDeaf ? 400_000_000 : Self.timeout, reap: isDeaf ? 5_000_000_000 : 2 * Self.timeout
    )
    let stay = outcome.block.time(of: .reaped) - outcome.block.time(of: .entered)
    #expect(stay < Self.timeout, "it stays for \(stay) ns")
    #expect(outcome.calls == ["describe none", "resume resumed", "keep resumed"])
    let said = outcome.block.reason(of: .source)?.description ?? ""
    #expect(said.contains(why) || said.contains("the handoff took longer"), "\(said)")
    #expect(outcome.block.state == .resumed)
  }
}
