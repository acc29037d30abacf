import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Parties of several processes.
@Suite struct PartyTests {
  @Test func itsProcessesAreReadAsTheyWereWritten() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let (first, second) = (try Sleeper(), try Sleeper())
    #expect(block.identities(of: .source).isEmpty)
    block.enroll(.source, as: first.identity)
    #expect(block.identities(of: .source) == [first.identity])
    try block.enroll(further: [second.identity], of: .source)
    #expect(block.identities(of: .source) == [first.identity, second.identity])
    #expect(try fixture.secondMapping(of: 1).identities(of: .source) == [first.identity, second.identity])
    #expect(try fixture.blocks.remains().first?.identities(of: .source) == [first.identity, second.identity])
    // Whoever takes its place has none of them.
    block.enroll(.source, as: second.identity)
    #expect(block.identities(of: .source) == [second.identity])
    #expect(block.identities(of: .destination).isEmpty && block.identities(of: .coordinator).isEmpty)
  }

  @Test func aBlockHasRoomForSoManyAndNoMore() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let most = (1...Int32(ControlBlock.memberLimit)).map {
      ProcessIdentity(pid: $0, startTime: UInt64($0) << 40, bootID: ProcessIdentity.current().bootID)
    }
    for party in Party.allCases { block.enroll(party, as: .current()) }
    for party in Party.allCases { try block.enroll(further: most, of: party) }
    for party in Party.allCases { #expect(block.identities(of: party) == [.current()] + most) }
    #expect(throws: HandoffError.self) { try block.enroll(further: most + [.current()], of: .source) }
    #expect(block.version(of: .coordinator) == 1 && block.namespace(of: .coordinator) == .own)
  }

  @Test func aCountThatLiesNamesNobody() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    for party in Party.allCases {
      block.enroll(party, as: .current())
      try block.descriptor.write([0xff, 0xff, 0xff, 0xff], at: 5696 + UInt64(party.rawValue) * 520)
      #expect(block.identities(of: party) == [.current()])
      #expect(try fixture.blocks.remains().first?.identities(of: party) == [.current()])
    }
  }

  /// A party lives as long as one of its processes does.
  @Test func oneOfTwoIsEnough() throws {
    for isFirst in [true, false] {
      let fixture = try BlockFixture()
      let (first, second) = (try Sleeper(), try Sleeper())
      let block = try fixture.makeBlock(1)
      block.enroll(.source, as: first.identity)
      try block.enroll(further: [second.identity], of: .source)
      let party = try required(try LinuxWorld.shared.open(block.identities(of: .source)))
      (isFirst ? first : second).end()
      #expect(!party.hasExited && block.life(of: .source) == .lives)
      let rest = try required(try LinuxWorld.shared.open(block.identities(of: .source)))
      #expect(rest.identities == [(isFirst ? second : first).identity] && !rest.hasExited)
      (isFirst ? second : first).end()
      #expect(party.hasExited && rest.hasExited && block.life(of: .source) == .gone)
      #expect(isAbsent(try LinuxWorld.shared.open(block.identities(of: .source))))
    }
  }

  @Test func allOfAPartyAreKilled() throws {
    let (first, second) = (try Sleeper(), try Sleeper())
    let party = try required(try LinuxWorld.shared.open([first.identity, second.identity]))
    let place = try TemporaryDirectory()
    let mayEnd = party.mayBeEnded(forOwnerOf: place.directory.descriptor)
    #expect(mayEnd)
    party.kill()
    for sleeper in [first, second] {
      let process = try ProcessDescriptor.open(sleeper.identity)
      let hasEnded = try process?.waitForExit(timeout: 60_000_000_000) ?? true
      #expect(hasEnded)
    }
  }

  /// A loser of two processes, whose victor is dead, is ended with both.
  @Test func aRecoveryEndsAllOfALoser() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(2, .resumed)
    let (victor, first, second) = (try Sleeper(), try Sleeper(), try Sleeper())
    victor.end()
    block.enroll(.source, as: victor.identity)
    block.enroll(.destination, as: first.identity)
    try block.enroll(further: [second.identity], of: .destination)
    // The one that took part is gone; what worked for it could touch the guest.
    first.end()
    var limits = HandoffLimits()
    limits.pollInterval = 1_000_000
    limits.reap = 100_000_000
    var recovery = CoordinatorSession(
      .recovery, name: "vm", folder: try fixture.temporary.directory.duplicate(),
      blocks: try fixture.blocks.duplicate(), limits: limits)
    #expect(recovery.run() == .lost)
    let process = try ProcessDescriptor.open(second.identity)
    let hasEnded = try process?.waitForExit(timeout: 60_000_000_000) ?? true
    #expect(hasEnded)
  }
}
