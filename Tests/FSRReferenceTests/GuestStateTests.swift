import FSRHandoff
import FSRReference
import FSRState
import FSRTestSupport
import Synchronization
import Testing

/// What of a guest is in a checkpoint, and what becomes of sections that nobody here knows.
@Suite struct GuestStateTests {
  private let record = PartRecord()
  private let first: RecordingPart
  private let second: RecordingPart
  private let state: GuestState

  init() {
    first = RecordingPart("a", record)
    second = RecordingPart("b", record)
    state = GuestState(of: GuestParts([first, RecordingRunner("r", record), second]), known: ["of-no-part"])
  }

  private static let identity = MachineIdentity(high: 1, low: 2)

  private static func section(_ name: String, isNeeded: Bool = true) -> StateSection {
    StateSection(name: name, version: 1, isNeeded: isNeeded, payload: [7])
  }

  private static func checkpoint(_ sections: [StateSection]) -> Checkpoint {
    Checkpoint(machine: identity, attempt: 1, sections: sections)
  }

  private func saved() throws -> Checkpoint {
    var writer = CheckpointWriter(machine: Self.identity, attempt: 1, capacity: 4096)
    state.save(to: &writer)
    return try Checkpoint(decoding: writer.bytes)
  }

  @Test func sectionsAreInTheOrderOfTheListAndWhatIsPassedOnBehindThem() throws {
    let foreign = Self.section("foreign", isNeeded: false)
    try state.load(Self.checkpoint([foreign, Self.section("b"), Self.section("a")]))
    #expect(record.take() == ["a.load", "b.load"])
    #expect(state.sections.map(\.name) == ["a", "b"])
    #expect(try saved().sections == [Self.section("a"), Self.section("b"), foreign])
  }

  @Test func aNeededSectionThatNobodyKnowsIsRefused() throws {
    #expect(throws: StateError.unknownSection("foreign")) {
      try state.load(Self.checkpoint([Self.section("a"), Self.section("b"), Self.section("foreign")]))
    }
  }

  /// A section may be there or not, or be of a part that this guest lacks.
  @Test(arguments: ["a.absent", "of-no-part"])
  func aKnownSectionIsNotPassedOn(_ name: String) throws {
    try state.load(Self.checkpoint([Self.section("a"), Self.section("b"), Self.section(name)]))
    #expect(try saved().sections.map(\.name) == ["a", "b"])
  }

  @Test func aPartThatRefusesItsStateEndsTheLoading() throws {
    record.fail("a.load")
    #expect(throws: Unexpected.self) {
      try state.load(Self.checkpoint([Self.section("a"), Self.section("b")]))
    }
    #expect(record.take() == ["a.load"])
  }

  @Test func aRehearsalGoesThroughAllTwiceAndKeepsTheState() throws {
    first.value.withLock { $0 = 3 }
    try state.rehearse()
    let round = ["a.save", "b.save", "a.loadInRehearsal", "b.loadInRehearsal"]
    #expect(record.take() == round + round + ["a.rehearse", "b.rehearse"])
    #expect(first.value.withLock { $0 } == 3)
  }

  /// Without any board, memory or thread made for it.
  @Test func whatABuildReadsIsDeclared() {
    let sections = ReferenceVM.readableSections()
    let names = sections.map(\.name)
    #expect(Set(names).count == names.count)
    let harts = (0..<16).map { "hart.\($0)" }
    let ports = (0..<8).map { "port.\($0)" }
    #expect(
      Set(names)
        == Set(
          ["clock", "board", "clint", "uart", "plic", "devices", "load", "paused", "pages", "swap-mirrored"]
            + harts + ports))
    #expect(Set(sections.filter { !$0.isNeeded }.map(\.name)) == ["devices", "load"])
    #expect(sections.allSatisfy { $0.version == 1 })
  }
}
