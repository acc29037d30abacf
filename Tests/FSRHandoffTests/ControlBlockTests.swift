import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct ControlBlockTests {
  /// Only a bell that rings ends a wait that takes less, in nanoseconds.
  private static let timeout: UInt64 = 60_000_000_000

  @Test func aFilledBlockIsTheSameInAnotherMapping() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(7, .none, generation: 3)
    let other = try fixture.secondMapping(of: 7)
    #expect(other.attempt == 7)
    #expect(other.generation == 3)
    #expect(other.machine == BlockFixture.machine)
    #expect(other.state == .none)
    #expect(!other.isComplete)
    #expect(other.guestGap == nil)
    #expect(Party.allCases.allSatisfy { other.identity(of: $0) == nil && !other.hasReleased($0) })
    #expect(TimelineMark.allCases.allSatisfy { other.time(of: $0) == 0 })

    block.maxDowntime = 5
    block.deadline = 6
    block.guestGap = 0
    block.pass(.stunned, at: 99)
    block.passFirst(.stunned, at: 100)
    block.passFirst(.entered, at: 101)
    block.beat(.coordinator, at: 12)
    #expect(other.maxDowntime == 5 && other.deadline == 6 && other.guestGap == 0)
    #expect(other.time(of: .stunned) == 99 && other.time(of: .entered) == 101)
    #expect(other.heartbeat(of: .coordinator) == 12)
  }

  @Test func anotherProcessSeesItAndIsSeen() async throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    block.complete(length: 10, checksum: 20)
    let path = fixture.temporary.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      let blocks = try BlockDirectory(try Directory.open(path))
      let block = try #require(try blocks.newest())
      #expect(block.isComplete && block.checkpointExtent == (10, 20))
      block.enroll(.destination, as: ProcessIdentity.current())
      let claim = block.claim(.destVerify, by: .destination)
      #expect(claim == .made)
      block.release(.destination)
    }
    #expect(block.state == .destVerify)
    #expect(block.hasReleased(.destination))
    let identity = try #require(block.identity(of: .destination))
    #expect(identity.pid != ProcessIdentity.current().pid)
    // It has ended: nobody answers to its identity.
    let isGone = isAbsent(try ProcessDescriptor.open(identity))
    #expect(isGone)
  }

  // MARK: what is no block

  /// The documented places: magic, format, attempt, word.
  static let places: [(UInt64, Int)] = [(0, 8), (8, 4), (12, 4), (64, 8)]

  @Test func everyByteOfItsHeadIsChecked() throws {
    let fixture = try BlockFixture()
    _ = try fixture.makeBlock(1)
    let file = try fixture.temporary.directory.openFile("1", .readWrite)
    for (place, count) in Self.places {
      for index in 0..<UInt64(count) {
        let original = try file.read(at: place + index, count: 1)
        try file.write([original[0] ^ 0x40], at: place + index)
        #expect(throws: HandoffError.self) { _ = try ControlBlock(adopting: try file.duplicate()) }
        try file.write(original, at: place + index)
      }
    }
    _ = try ControlBlock(adopting: try file.duplicate())
  }

  @Test func anotherSizeIsRefused() throws {
    let fixture = try BlockFixture()
    for size: UInt64 in [0, 1, 4096, 8191, 8193, 16384] {
      let file = try fixture.temporary.directory.openFile("size\(size)", .createNew)
      try file.truncate(to: size)
      #expect(throws: HandoffError.self) { _ = try ControlBlock(adopting: try file.duplicate()) }
    }
  }

  @Test func anEmptyFileOfTheRightSizeIsRefused() throws {
    let fixture = try BlockFixture()
    let file = try fixture.temporary.directory.openFile("empty", .createNew)
    try file.truncate(to: 8192)
    #expect(throws: HandoffError.self) { _ = try ControlBlock(adopting: try file.duplicate()) }
  }

  // MARK: the word

  @Test func aClaimAnswersWhatTheTableSays() throws {
    let fixture = try BlockFixture()
    var attempt: UInt32 = 0
    for old in ResumeState.allCases {
      for new in ResumeState.allCases {
        for party in Party.allCases {
          attempt += 1
          let block = try fixture.makeBlock(attempt, old)
          let claim = block.claim(new, by: party)
          let isAllowed = ResumeWord.allows(old, to: new, by: party)
          #expect(claim == (isAllowed ? .made : .found(old)))
          #expect(block.state == (isAllowed ? new : old))
        }
      }
    }
  }

  @Test func ofConcurrentClaimsExactlyOneIsMade() throws {
    let fixture = try BlockFixture()
    let rivals: [(ResumeState, Party)] = [
      (.source, .source), (.source, .coordinator), (.source, .destination), (.destination, .destination),
    ]
    for attempt in 1...300 as ClosedRange<UInt32> {
      let block = try fixture.makeBlock(attempt, .destVerify)
      let claims = try race(
        try rivals.map { new, party in
          let mapping = try fixture.secondMapping(of: attempt)
          return { mapping.claim(new, by: party) }
        })
      let winner = try #require(claims.firstIndex(of: .made))
      #expect(block.state == rivals[winner].0)
      #expect(claims.filter { $0 == .found(block.state) }.count == rivals.count - 1)
    }
  }

  @Test func whoWaitsOnTheWordIsWoken() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let mapping = try fixture.secondMapping(of: 1)
    let begin = MonotonicClock.now()
    let waiter = try OSThread.start(name: "waiter") {
      while mapping.state == .none { mapping.wait(while: .none, timeout: Self.timeout) }
    }
    let claim = block.claim(.source, by: .source)
    #expect(claim == .made)
    block.announce()
    waiter.join()
    #expect(mapping.state == .source && MonotonicClock.now() - begin < Self.timeout)
  }

  // MARK: the checkpoint

  @Test func completeCarriesWhatWasWrittenBeforeIt() throws {
    let fixture = try BlockFixture()
    for attempt in 1...300 as ClosedRange<UInt32> {
      let block = try fixture.makeBlock(attempt)
      let mapping = try fixture.secondMapping(of: attempt)
      let begin = MonotonicClock.now()
      let racers: [@Sendable () -> [UInt64]] = [
        {
          block.complete(length: UInt64(attempt) * 3, checksum: ~UInt64(attempt))
          block.ring()
          return [0, 0]
        },
        {
          while true {
            let bell = mapping.doorbell
            if mapping.isComplete { break }
            mapping.park(since: bell, timeout: Self.timeout)
          }
          return [mapping.checkpointExtent.length, mapping.checkpointExtent.checksum]
        },
      ]
      let extents = try race(racers)
      #expect(extents[1] == [UInt64(attempt) * 3, ~UInt64(attempt)])
      try #require(MonotonicClock.now() - begin < Self.timeout, "nobody was woken")
    }
  }

  @Test func everyParkedThreadIsWokenByOneRing() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let bell = block.doorbell
    let begin = MonotonicClock.now()
    let threads = try (0..<6).map { _ in
      let mapping = try fixture.secondMapping(of: 1)
      return try OSThread.start(name: "parked") {
        while mapping.doorbell == bell { mapping.park(since: bell, timeout: Self.timeout) }
      }
    }
    block.ring()
    for thread in threads { thread.join() }
    #expect(block.doorbell == bell &+ 1 && MonotonicClock.now() - begin < Self.timeout)
  }

  @Test func ringsFromManyThreadsAreAllCounted() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let threads = try (0..<4).map { _ in
      try OSThread.start(name: "ringer") { for _ in 0..<1000 { block.ring() } }
    }
    for thread in threads { thread.join() }
    #expect(block.doorbell == 4000)
  }

  // MARK: the parties

  @Test func partiesAreToldApart() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let boot = BootID(high: 1, low: 2)
    for party in Party.allCases {
      block.enroll(party, as: ProcessIdentity(pid: Int32(party.rawValue) + 100, startTime: 7, bootID: boot))
      block.holdDescriptors(party, numbers: (0..<66).map { Int32($0) + Int32(party.rawValue) * 1000 })
      block.explain(party, Reason("because of \(party)"))
    }
    block.release(.destination)
    let other = try fixture.secondMapping(of: 1)
    for party in Party.allCases {
      #expect(other.identity(of: party)?.pid == Int32(party.rawValue) + 100)
      #expect(other.heldDescriptors(of: party) == (0..<66).map { Int32($0) + Int32(party.rawValue) * 1000 })
      #expect(other.reason(of: party)?.description == "because of \(party)")
      #expect(other.hasReleased(party) == (party == .destination))
    }
    #expect(other.attempt == 1 && other.state == .none && !other.isComplete)
  }

  @Test func aNumberIsOfTheNamespaceThatIsWrittenBesideIt() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1, .resumed)
    let other = try fixture.secondMapping(of: 1)
    #expect(other.namespace(of: .source) == .unknown && other.life(of: .source) == nil)
    let me = ProcessIdentity.current()
    block.enroll(.source, as: me)
    #expect(
      other.namespace(of: .source) == .own && other.life(of: .source) == .lives && other.blindness == nil)
    let gone = ProcessIdentity(pid: me.pid, startTime: me.startTime + 1, bootID: me.bootID)
    block.enroll(.source, as: gone)
    #expect(other.life(of: .source) == .gone && other.blindness == nil)
    // Dead or alive here, it is somebody else's number there.
    for identity in [me, gone] {
      block.enroll(.source, as: identity, in: PIDNamespace(number: 7))
      guard case .unknown(let why)? = other.life(of: .source) else {
        Issue.record("\(other.life(of: .source) as Any)")
        continue
      }
      #expect(why.what.contains("process \(identity.pid) ") && other.blindness == other.life(of: .source))
    }
    #expect(other.version(of: .source) == 1)
    block.introduce(.source)
    #expect(other.namespace(of: .source) == .own)
    #expect(other.version(of: .source) == HandoffProtocol.versions.upperBound)
    // A build that says none is believed, as there was no other.
    block.enroll(.source, as: me, in: .unknown)
    #expect(other.life(of: .source) == .lives)
  }

  @Test func onlyThoseWhoCountMakeItBlind() throws {
    let fixture = try BlockFixture()
    let elsewhere = PIDNamespace(number: 7)
    for (attempt, state) in ResumeState.allCases.enumerated() {
      for party in Party.allCases {
        let block = try fixture.makeBlock(UInt32(attempt * 3) + party.rawValue + 1, state)
        block.enroll(party, as: .current(), in: elsewhere)
        let counts: Bool =
          switch state {
          case .resumed: party == .source
          case .destination: party == .destination
          case .none, .destVerify, .source, .successor: party != .coordinator
          }
        #expect((block.blindness != nil) == counts, "\(state), \(party)")
      }
    }
  }

  @Test func theOwnerIsWhoMayRun() throws {
    let fixture = try BlockFixture()
    var attempt: UInt32 = 0
    for state in ResumeState.allCases {
      attempt += 1
      let block = try fixture.makeBlock(attempt, state)
      let boot = BootID(high: 1, low: 2)
      block.enroll(.source, as: ProcessIdentity(pid: 10, startTime: 1, bootID: boot))
      block.enroll(.destination, as: ProcessIdentity(pid: 20, startTime: 1, bootID: boot))
      let owner: Int32? = state == .resumed ? 10 : state == .destination ? 20 : nil
      #expect(block.owner?.pid == owner)
    }
  }

  @Test func theFirstReasonStaysAndIsCutAtACharacter() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    #expect(block.reason(of: .source) == nil)
    block.explain(.source, Reason(""))
    block.explain(.source, Reason(String(repeating: "ü", count: 400) + "x"))
    block.explain(.source, Reason("later"))
    #expect(block.reason(of: .source)?.description == String(repeating: "ü", count: 250))
    block.explain(.destination, Reason("x" + String(repeating: "ü", count: 400)))
    #expect(block.reason(of: .destination)?.description == "x" + String(repeating: "ü", count: 249))
  }

  @Test(arguments: ReasonCode.allCases) func aReasonIsReadBackWithItsRemedy(code: ReasonCode) throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let reason = Reason("so; ist es", remedy: "größer; bitte", code: code)
    block.explain(.coordinator, reason)
    #expect(try fixture.secondMapping(of: 1).reason(of: .coordinator) == reason)
    // Of so long a sentence nothing is left to say what to do.
    block.explain(.source, Reason(String(repeating: "s", count: 500), remedy: "this", code: code))
    #expect(block.reason(of: .source) == Reason(String(repeating: "s", count: 500), code: code))
  }

  @Test func whoAskedAndWhatRunsIsWrittenOnce() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let other = try fixture.secondMapping(of: 1)
    #expect(other.asker == nil && Party.allCases.allSatisfy { other.executable(of: $0) == nil })
    block.noteAsker(pid: 7, user: 1000)
    block.noteAsker(pid: 8, user: 0)
    let asker = try #require(other.asker)
    #expect(asker == (7, 1000))
    block.noteExecutable("/usr/bin/fsr", of: .source)
    block.noteExecutable("/usr/bin/other", of: .source)
    block.noteExecutable(String(repeating: "x", count: 701), of: .destination)
    block.noteExecutable(String(repeating: "x", count: 700), of: .coordinator)
    block.holdDescriptors(.source, numbers: Array(repeating: 5, count: 66))
    block.enroll(.destination, as: ProcessIdentity.current())
    #expect(other.executable(of: .source) == "/usr/bin/fsr" && other.executable(of: .destination) == nil)
    #expect(other.executable(of: .coordinator)?.count == 700)
    #expect(other.reason(of: .source) == nil)
  }

  /// Before complete a destination waits for its source: who does not go on is the source alone.
  @Test func aDestinationThatWaitsForItsSourceIsNotSaidToHang() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let (source, destination) = (try Sleeper(), try Sleeper())
    block.enroll(.source, as: source.identity)
    block.enroll(.destination, as: destination.identity)
    #expect(block.standstills.map { $0.prefix(10) } == ["the source"])
    source.end()
    #expect(block.standstills.map { $0.prefix(15) } == ["the destination"])
    block.complete(length: 1, checksum: 1)
    block.release(.destination)
    #expect(block.standstills.isEmpty)
  }

  @Test func countsThatNobodyWroteAreNotBelieved() throws {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    let file = try fixture.temporary.directory.openFile("1", .readWrite)
    // The source's count of descriptors, and the length of its reason.
    try file.write([0xff, 0xff, 0xff, 0xff], at: 1024 + 48)
    try file.write([0xff, 0xff, 0xff, 0x7f], at: 4096)
    try file.write([0xff, 0xff, 0xff, 0x7f], at: 1024 + 320)
    #expect(block.executable(of: .source) == nil)
    #expect(block.heldDescriptors(of: .source).isEmpty)
    #expect(block.reason(of: .source) == nil)
  }
}
