import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// Control blocks in each state worth having, as they were written once.
@Suite struct BlockFixtureTests {
  /// A block that somebody fills, by the name of its fixture.
  struct State: Sendable, CustomTestStringConvertible {
    let name: String
    let start: ResumeState
    let end: ResumeState
    let fill: @Sendable (ControlBlock) -> Void

    var testDescription: String { name }
  }

  private static let machine = MachineIdentity(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)
  private static let attempt: UInt32 = 7
  private static let generation: UInt64 = 5
  private static let draft: UInt64 = 0x1122_3344_5566_7788

  private static func identity(_ party: Party) -> ProcessIdentity {
    ProcessIdentity(
      pid: 1000 + Int32(party.rawValue), startTime: 500_000 + UInt64(party.rawValue),
      bootID: BootID(high: 0xb007, low: 0x1d))
  }

  private static func namespace(_ party: Party) -> PIDNamespace {
    PIDNamespace(number: 0xf000_0000 + UInt64(party.rawValue))
  }

  /// What stands in a block that all three have joined, and before the stun.
  private static func join(_ block: ControlBlock) {
    for party in Party.allCases {
      block.enroll(party, as: identity(party), in: namespace(party))
      block.holdDescriptors(party, numbers: [3, 4, 10 + Int32(party.rawValue), 1_048_575])
      block.noteExecutable("/opt/fsr-\(party.rawValue)/größer", of: party)
      block.noteProgress(100 + UInt64(party.rawValue), of: 200, by: party)
    }
    block.beat(.coordinator, at: 77_000)
    block.noteAsker(pid: 4321, user: 1000)
    block.maxDowntime = 1_000_000_000
    block.deadline = 99_000_000_000
    block.copiedBytes = 1 << 33
    for mark in TimelineMark.allCases where mark.rawValue <= 4 { time(mark, block) }
  }

  private static func time(_ mark: TimelineMark, _ block: ControlBlock) {
    block.pass(mark, at: 10_000_000 + UInt64(mark.rawValue) * 1000)
  }

  private static func win(_ block: ControlBlock) {
    for mark in TimelineMark.allCases { time(mark, block) }
    block.complete(length: 12_345, checksum: 0xdead_beef_0bad_cafe)
    block.ring()
    _ = block.claim(.destVerify, by: .destination)
    _ = block.claim(.destination, by: .destination)
    block.guestGap = 310
    block.release(.source)
  }

  private static func callOff(_ block: ControlBlock) {
    block.explain(.source, Reason("zu wenig Speicher: größer", code: .headroom))
    block.explain(.destination, Reason("no reason has a code"))
    _ = block.claim(.source, by: .coordinator)
    _ = block.claim(.resumed, by: .source)
    block.release(.destination)
  }

  static let states = [
    State(name: "block-draft.hex", start: .none, end: .none) { _ in },
    State(name: "block-joined.hex", start: .none, end: .none) { join($0) },
    State(name: "block-won.hex", start: .none, end: .destination) { block in
      join(block)
      win(block)
    },
    State(name: "block-called-off.hex", start: .none, end: .resumed) { block in
      join(block)
      callOff(block)
    },
    State(name: "block-buried.hex", start: .none, end: .successor) { block in
      join(block)
      block.complete(length: 1, checksum: 2)
      _ = block.claim(.successor, by: .coordinator)
    },
    State(name: "block-versions.hex", start: .none, end: .none) { block in
      join(block)
      block.enroll(.source, as: identity(.source), in: namespace(.source), speaking: 2)
      block.enroll(.coordinator, as: identity(.coordinator), in: namespace(.coordinator), speaking: 0x0102)
    },
    State(name: "block-successor.hex", start: .destVerify, end: .destVerify) { block in
      block.enroll(.destination, as: identity(.destination), in: namespace(.destination))
      block.complete(length: 12_345, checksum: 0xdead_beef_0bad_cafe)
    },
  ]

  private static func memory() throws -> OwnedDescriptor {
    // The block makes it as long as it has to be.
    let place = try TemporaryDirectory()
    return try place.directory.openFile("block", .createNew)
  }

  @Test(arguments: states) func aBlockIsWrittenAsEver(_ state: State) throws {
    let block = try ControlBlock(
      filling: Self.memory(), attempt: Self.attempt, generation: Self.generation, machine: Self.machine,
      state: state.start, draft: Self.draft)
    state.fill(block)
    #expect(block.state == state.end)
    let bytes = try block.descriptor.read(at: 0, count: 1 << 16)
    #expect(try Fixture(state.name).difference(from: bytes) == nil)
  }

  private static func read(_ name: String) throws -> ControlBlock {
    let file = try memory()
    try file.write(try Fixture(name).bytes(), at: 0)
    return try ControlBlock(adopting: file)
  }

  @Test(arguments: states) func aBlockIsReadForGood(_ state: State) throws {
    let block = try Self.read(state.name)
    #expect(block.attempt == Self.attempt && block.generation == Self.generation)
    #expect(block.machine == Self.machine && block.state == state.end && !block.isCorrupt)
    // Each value as a block has it that is filled in the same way now.
    let other = try ControlBlock(
      filling: Self.memory(), attempt: Self.attempt, generation: Self.generation, machine: Self.machine,
      state: state.start, draft: Self.draft)
    state.fill(other)
    Self.expect(block, toSayWhat: other)
  }

  private static func expect(_ block: ControlBlock, toSayWhat other: ControlBlock) {
    for party in Party.allCases {
      #expect(block.identity(of: party) == other.identity(of: party))
      #expect(block.version(of: party) == other.version(of: party))
      #expect(block.namespace(of: party) == other.namespace(of: party))
      #expect(block.heldDescriptors(of: party) == other.heldDescriptors(of: party))
      #expect(block.executable(of: party) == other.executable(of: party))
      #expect(block.progress(of: party)?.done == other.progress(of: party)?.done)
      #expect(block.reason(of: party) == other.reason(of: party))
      #expect(block.hasReleased(party) == other.hasReleased(party))
      #expect(block.heartbeat(of: party) == other.heartbeat(of: party))
    }
    for mark in TimelineMark.allCases { #expect(block.time(of: mark) == other.time(of: mark)) }
    #expect(block.isComplete == other.isComplete && block.checkpointExtent == other.checkpointExtent)
    #expect(block.doorbell == other.doorbell && block.guestGap == other.guestGap)
    #expect(block.maxDowntime == other.maxDowntime && block.deadline == other.deadline)
    #expect(block.asker?.pid == other.asker?.pid && block.asker?.user == other.asker?.user)
    #expect(block.copiedBytes == other.copiedBytes)
  }

  /// Said here once more, since who writes and who reads might go wrong together.
  @Test func aWonBlockSaysWhatWasWrittenThen() throws {
    let block = try Self.read("block-won.hex")
    #expect(block.identity(of: .destination) == Self.identity(.destination))
    #expect(block.namespace(of: .coordinator) == Self.namespace(.coordinator))
    #expect(block.heldDescriptors(of: .source) == [3, 4, 10, 1_048_575])
    #expect(block.executable(of: .source) == "/opt/fsr-0/größer" && block.progress(of: .source)?.total == 200)
    #expect(block.isComplete && block.checkpointExtent == (12_345, 0xdead_beef_0bad_cafe))
    #expect(block.time(of: .copied) == 10_015_000 && block.guestGap == 310 && block.doorbell == 1)
    #expect(block.hasReleased(.source) && !block.hasReleased(.destination))
    #expect(block.asker?.pid == 4321 && block.asker?.user == 1000 && block.copiedBytes == 1 << 33)
    let lost = try Self.read("block-called-off.hex")
    #expect(lost.reason(of: .source) == Reason("zu wenig Speicher: größer", code: .headroom))
    #expect(lost.reason(of: .destination) == Reason("no reason has a code"))
  }

  /// Of a build that wrote no namespaces: the same but for those.
  @Test(arguments: ["joined", "won", "called-off", "successor"])
  func aBlockWithoutNamespacesIsRead(name: String) throws {
    let old = try Self.read("old/block-\(name).hex")
    for party in Party.allCases { #expect(old.namespace(of: party) == .unknown) }
    let new = try Fixture("block-\(name).hex").bytes()
    var without = new
    without.replaceSubrange(5632..<5656, with: [UInt8](repeating: 0, count: 24))
    #expect(try Fixture("old/block-\(name).hex").bytes() == without)
  }
}
