import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Control blocks that somebody has written over, cut short or taken away while a party has them mapped.
@Suite struct SpoiltBlockTests {
  private static func file(_ fixture: borrowing BlockFixture, _ attempt: UInt32 = 1) throws -> OwnedDescriptor
  {
    try fixture.temporary.directory.openFile("\(attempt)", .readWrite)
  }

  private static func bytes(_ word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
  }

  /// Words of no state of attempt 1.
  static let rubbish: [UInt64] = [0, .max, 1, 1 << 32, 1 << 32 | 7, 2 << 32 | 1, 0x7fff_ffff_7fff_ffff]

  // MARK: what is believed

  @Test func aStateLeadsWhereItsEdgesLead() {
    for state in ResumeState.allCases {
      var reached: Set<ResumeState> = [state]
      while true {
        let more = ResumeState.allCases.filter { new in
          !reached.contains(new)
            && reached.contains { old in Party.allCases.contains { ResumeWord.allows(old, to: new, by: $0) } }
        }
        if more.isEmpty { break }
        reached.formUnion(more)
      }
      #expect(Set(ResumeState.allCases.filter { state.leads(to: $0) }) == reached)
      // What is noted of a word is the furthest of what was seen.
      #expect(reached.allSatisfy { $0.rawValue >= state.rawValue })
    }
  }

  @Test func aStateToWhichNoEdgeLedIsScribbling() throws {
    let fixture = try BlockFixture()
    var attempt: UInt32 = 0
    for old in ResumeState.allCases {
      for new in ResumeState.allCases {
        attempt += 1
        let block = try fixture.makeBlock(attempt, old)
        try Self.file(fixture, attempt).write(
          Self.bytes(ResumeWord(attempt: attempt, state: new).bits), at: 64)
        // Nobody has won where nothing was said to be complete.
        let isLie = old == .none && (new == .destination || new == .successor)
        let isBelieved = old.leads(to: new) && !isLie
        #expect(block.state == (isBelieved ? new : old))
        #expect(block.isCorrupt == !isBelieved)
        block.complete(length: 1, checksum: 1)
        #expect(block.state == (old.leads(to: new) ? new : old))
      }
    }
  }

  @Test func whatWasClaimedIsKnownBeforeItIsLookedAt() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1, .destVerify)
    #expect(block.claim(.destination, by: .destination) == .made)
    try Self.file(fixture).write(Self.bytes(.max), at: 64)
    #expect(block.state == .destination && block.isCorrupt)
  }

  // MARK: what is put right

  @Test func beforeCompleteTheSourcePutsTheWordRightAndNobodyElse() throws {
    for word in Self.rubbish {
      let fixture = try BlockFixture()
      let block = try fixture.makeBlock(1)
      let file = try Self.file(fixture)
      try file.write(Self.bytes(word), at: 64)
      for party in [Party.destination, .coordinator] {
        for state in ResumeState.allCases {
          #expect(block.claim(state, by: party) == .found(.none))
        }
      }
      #expect(block.claim(.resumed, by: .source) == .found(.none))
      #expect(block.claim(.source, by: .source) == .made)
      #expect(block.state == .source && !block.isCorrupt)
      try file.write(Self.bytes(word), at: 64)
      #expect(block.claim(.resumed, by: .source) == .made)
      #expect(block.state == .resumed && !block.isCorrupt)
    }
  }

  /// Somebody may run the guest by what was there before.
  @Test(arguments: [false, true]) func afterCompleteNobodyPutsItRight(isFlagTakenAway: Bool) throws {
    for old in [ResumeState.none, .destVerify, .source] {
      let fixture = try BlockFixture()
      let block = try fixture.makeBlock(1, old)
      block.complete(length: 1, checksum: 1)
      let file = try Self.file(fixture)
      if isFlagTakenAway {
        try file.write([UInt8](repeating: 0, count: 8192), at: 0)
      } else {
        try file.write(Self.bytes(.max), at: 64)
      }
      for party in Party.allCases {
        for state in ResumeState.allCases { #expect(block.claim(state, by: party) == .found(old)) }
      }
      #expect(block.isCorrupt)
    }
  }

  /// Whoever took such a word for true may run the guest: he is seen gone before.
  @Test func aVictoryThatNobodyHasWonIsNotPutRightLightly() throws {
    for state in [ResumeState.destination, .successor] {
      let fixture = try BlockFixture()
      let block = try fixture.makeBlock(1)
      try Self.file(fixture).write(Self.bytes(ResumeWord(attempt: 1, state: state).bits), at: 64)
      for new in ResumeState.allCases {
        for party in Party.allCases { #expect(block.claim(new, by: party) == .found(.none)) }
      }
      #expect(block.state == .none && block.isCorrupt)
    }
  }

  @Test func aBlockOfTheLastGenerationIsNone() throws {
    let fixture = try BlockFixture()
    _ = try fixture.makeBlock(1, generation: .max)
    #expect(throws: HandoffError.self) { _ = try fixture.blocks.newest() }
    _ = try fixture.makeBlock(2, generation: .max - 1)
    #expect(try fixture.blocks.newest()?.generation == .max - 1)
  }

  // MARK: a file that is cut short

  @Test(arguments: [0, 1, 64, 4096] as [UInt64]) func aBlockThatIsCutShortEndsNobody(size: UInt64) throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    block.enroll(.source, as: .current())
    block.complete(length: 1, checksum: 1)
    try Self.file(fixture).truncate(to: size)
    #expect(block.state == .none)
    #expect(block.isCorrupt == (size <= 64))
    #expect((block.identity(of: .source) == nil) == (size < 4096))
    #expect(block.claim(.destination, by: .destination) == .found(.none))
    // Nobody may take the guest back for a flag that is not there any more.
    #expect(size > 64 || block.claim(.source, by: .source) == .found(.none))
    block.explain(.source, Reason("it was cut short"))
    block.pass(.entered, at: 1)
    block.ring()
    block.announce()
    block.release(.source)
    block.wait(while: .none, timeout: 1_000_000)
    block.park(since: block.doorbell, timeout: 1_000_000)
    #expect(throws: HandoffError.self) { _ = try fixture.blocks.newest() }
  }

  @Test func aWaitOnAWordThatIsWrittenOverPauses() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    try Self.file(fixture).write(Self.bytes(.max), at: 64)
    let start = MonotonicClock.now()
    block.wait(while: .none, timeout: 20_000_000)
    #expect(MonotonicClock.now() - start >= 20_000_000)
  }

  // MARK: what is left

  @Test func whoTookPartIsReadOfBlocksThatAreOfNoUse() throws {
    let fixture = try BlockFixture()
    let me = ProcessIdentity.current()
    let spoilings: [(OwnedDescriptorPlace, Bool)] = [
      (.write(0, [UInt8](repeating: 0xff, count: 8)), true), (.write(64, Self.bytes(.max)), true),
      (.cut(4096), true), (.cut(1026), false), (.cut(0), false),
      (.write(0, [UInt8](repeating: 0, count: 8192)), false),
    ]
    for (index, (spoiling, isThere)) in spoilings.enumerated() {
      let attempt = UInt32(index + 1)
      let block = try fixture.makeBlock(attempt)
      for party in Party.allCases { block.enroll(party, as: me) }
      let file = try Self.file(fixture, attempt)
      switch spoiling {
      case .write(let offset, let bytes): try file.write(bytes, at: offset)
      case .cut(let size): try file.truncate(to: size)
      }
      guard let remains = try fixture.blocks.remains().first(where: { $0.name == "\(attempt)" }) else {
        throw Absent()
      }
      for party in Party.allCases {
        #expect(remains.identity(of: party) == (isThere ? me : nil), "\(spoiling), \(party)")
      }
    }
  }

  private enum OwnedDescriptorPlace {
    case write(UInt64, [UInt8])
    case cut(UInt64)
  }

  @Test func draftsAreAmongWhatIsLeftAndOtherFilesAreNot() throws {
    let fixture = try BlockFixture()
    let draft = try fixture.blocks.create(
      attempt: 2, generation: 1, machine: BlockFixture.machine, state: .none)
    draft.enroll(.coordinator, as: .current())
    _ = try fixture.temporary.directory.openFile("thesis", .createNew)
    let remains = try fixture.blocks.remains()
    #expect(remains.count == 1 && remains[0].identity(of: .coordinator) == .current())
    #expect(remains[0].identity(of: .source) == nil)
  }

  @Test func aFolderThatWasRemovedHasNoBlocks() throws {
    let fixture = try BlockFixture()
    try fixture.temporary.directory.make("gone")
    let blocks = try BlockDirectory(try Directory.open("gone", in: fixture.temporary.directory))
    try fixture.temporary.directory.removeDirectory("gone")
    #expect(try blocks.attempts().isEmpty && blocks.remains().isEmpty)
    let isAbsent = try blocks.newest() == nil
    #expect(isAbsent)
    try blocks.removeOlder(than: 5)
  }
}
