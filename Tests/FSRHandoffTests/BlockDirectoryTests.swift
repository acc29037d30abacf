import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct BlockDirectoryTests {
  @Test func aDraftIsNoAttempt() throws {
    let fixture = try BlockFixture()
    #expect(try fixture.blocks.newest() == nil)
    let draft = try fixture.blocks.create(
      attempt: 1, generation: 1, machine: BlockFixture.machine, state: .none)
    #expect(try fixture.blocks.attempts().isEmpty)
    #expect(try fixture.blocks.newest() == nil)
    #expect(try fixture.blocks.open(1) == nil)
    try fixture.blocks.publish(draft)
    #expect(try fixture.blocks.attempts() == [1])
    #expect(try fixture.blocks.newest()?.attempt == 1)
  }

  @Test func theNewestIsByNumberNotByName() throws {
    let fixture = try BlockFixture()
    for attempt in [2, 10, 9, 100] as [UInt32] { _ = try fixture.makeBlock(attempt) }
    #expect(try fixture.blocks.attempts() == [2, 9, 10, 100])
    #expect(try fixture.blocks.newest()?.attempt == 100)
  }

  @Test func aBlockIsNeverPublishedOverAnother() throws {
    let fixture = try BlockFixture()
    let first = try fixture.makeBlock(3, .destination)
    let second = try fixture.blocks.create(
      attempt: 3, generation: 2, machine: BlockFixture.machine, state: .none)
    #expect(throws: HandoffError.self) { try fixture.blocks.publish(second) }
    #expect(try fixture.blocks.open(3)?.state == .destination)
    #expect(first.state == .destination)
  }

  /// A source that wakes late must not publish the draft of whoever tried after its own coordinator.
  @Test func whoPublishesPublishesItsOwnDraft() throws {
    let fixture = try BlockFixture()
    let early = try fixture.blocks.create(
      attempt: 3, generation: 2, machine: BlockFixture.machine, state: .none)
    let wasDraft = fixture.blocks.removeDraft(of: early)
    #expect(wasDraft)
    let deadline = try fixture.blocks.create(
      attempt: 3, generation: 2, machine: BlockFixture.machine, state: .none)
    #expect(throws: HandoffError.self) { try fixture.blocks.publish(early) }
    #expect(try fixture.blocks.attempts().isEmpty)
    try fixture.blocks.publish(deadline)
    let isDraftStill = fixture.blocks.removeDraft(of: deadline)
    #expect(!isDraftStill)
    #expect(try fixture.blocks.attempts() == [3])
  }

  @Test func whatIsOlderGoesWithAllDrafts() throws {
    let fixture = try BlockFixture()
    for attempt in 1...5 as ClosedRange<UInt32> { _ = try fixture.makeBlock(attempt) }
    _ = try fixture.blocks.create(attempt: 9, generation: 1, machine: BlockFixture.machine, state: .none)
    try fixture.blocks.removeOlder(than: 4)
    #expect(try fixture.blocks.attempts() == [4, 5])
    #expect(try fixture.temporary.directory.names(limit: 100).sorted() == ["4", "5"])
  }

  @Test func onlyBlocksAndDraftsGoWithTheVM() throws {
    let fixture = try BlockFixture()
    _ = try fixture.makeBlock(3)
    _ = try fixture.blocks.create(attempt: 4, generation: 1, machine: BlockFixture.machine, state: .none)
    let others = ["+5", "007", "4.x.draft", "5.6.7.draft", ".draft", "thesis.draft", "thesis.tex", "1.2"]
    for name in others { _ = try fixture.temporary.directory.openFile(name, .createNew) }
    try fixture.temporary.directory.make("8")
    #expect(try fixture.blocks.removeAll().sorted() == (others + ["8"]).sorted())
    #expect(try fixture.temporary.directory.names(limit: 100).sorted() == (others + ["8"]).sorted())
    try fixture.blocks.removeOlder(than: 9)
    #expect(try fixture.temporary.directory.names(limit: 100).sorted() == (others + ["8"]).sorted())
  }

  @Test func namesThatAreNoNumbersAreNoAttempts() throws {
    let fixture = try BlockFixture()
    for name in ["lock", "-1", "4294967296", "1x", "0x2"] {
      _ = try fixture.temporary.directory.openFile(name, .createNew)
    }
    #expect(try fixture.blocks.attempts().isEmpty)
    #expect(try fixture.blocks.newest() == nil)
  }

  @Test func aBlockUnderAnotherNumberIsRefused() throws {
    let fixture = try BlockFixture()
    _ = try fixture.makeBlock(1)
    try fixture.temporary.directory.rename("1", to: "2", replacing: false)
    #expect(throws: HandoffError.self) { try fixture.blocks.newest() }
  }

  @Test func aFileThatIsNoBlockIsRefused() throws {
    let fixture = try BlockFixture()
    let file = try fixture.temporary.directory.openFile("5", .createNew)
    try file.write(Array("hello".utf8), at: 0)
    #expect(throws: HandoffError.self) { try fixture.blocks.newest() }
  }

  @Test func theFolderMustBeOnTmpfs() throws {
    let elsewhere = try Directory.open("/proc")
    #expect(throws: HandoffError.self) { _ = try BlockDirectory(try elsewhere.duplicate()) }
  }

  @Test func ofConcurrentPublishersOneWins() throws {
    let fixture = try BlockFixture()
    let path = fixture.temporary.path
    for attempt in 1...50 as ClosedRange<UInt32> {
      let wins = try race(
        (0..<4).map { _ in
          {
            do {
              let blocks = try BlockDirectory(try Directory.open(path))
              let draft = try blocks.create(
                attempt: attempt, generation: 1, machine: BlockFixture.machine, state: .none)
              try blocks.publish(draft)
              return true
            } catch { return false }
          }
        })
      #expect(wins.filter { $0 }.count >= 1)
      #expect(wins.filter { $0 }.count == 1)
      #expect(try fixture.blocks.open(attempt)?.state == ResumeState.none)
    }
  }
}
