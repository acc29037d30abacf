import FSRHandoff
import FSRHost
import FSRReference
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// In which order the parts of a guest are asked, and what is undone when one of them fails.
@Suite struct GuestPartsTests {
  private let record = PartRecord()
  private let parts: GuestParts
  private let copied: [any CopyingPart]

  init() {
    // One that only runs is between two that have every role.
    parts = GuestParts([
      RecordingPart("a", record), RecordingRunner("b", record), RecordingPart("c", record),
    ])
    copied = parts.copied(by: Self.plan)
  }

  private static var plan: HandoffPlan {
    var plan = HandoffPlan()
    plan.swap = .mirrored(path: "/var/tmp/other", bytesPerSecond: nil)
    return plan
  }

  private static func description() -> GuestDescription {
    GuestDescription(
      manifest: Manifest(
        name: "a", machine: MachineIdentity(high: 1, low: 2), slots: [], memory: [], sections: [],
        checkpointCapacity: 1, executable: "", arguments: []),
      descriptors: DescriptorBag())
  }

  /// What a source does, up to the end of its stun.
  private static let giving = [
    "a.precopy", "c.precopy", "a.quiesce", "c.quiesce", "a.settleCopy", "c.settleCopy", "a.rest", "b.rest",
    "c.rest", "a.drain", "c.drain", "a.freeze", "c.freeze", "a.finishCopy", "c.finishCopy", "a.save",
    "c.save",
    "a.release", "c.release",
  ]
  private static let undoing = [
    "c.reacquire", "a.reacquire", "c.cancelCopy", "a.cancelCopy", "c.thaw", "a.thaw", "c.start", "b.start",
    "a.start",
  ]

  private func give() throws {
    _ = try parts.precopy(copied)
    try parts.quiesce(copied) { 1 }
    try parts.drain()
    try parts.freeze(copied)
    var checkpoint = CheckpointWriter(machine: MachineIdentity(high: 1, low: 2), attempt: 1, capacity: 4096)
    GuestState(of: parts).save(to: &checkpoint)
    parts.release()
  }

  private func undo() {
    _ = parts.reacquire()
    parts.letTouch()
    parts.goOn()
  }

  // MARK: giving

  @Test func aManifestIsInTheOrderOfTheList() throws {
    var description = Self.description()
    try parts.describe(into: &description)
    #expect(description.manifest.slots == ["a", "c"])
    #expect(record.take() == ["a.describe", "c.describe"])
    _ = try parts.writtenFiles()
    #expect(record.take() == ["a.writtenFiles", "c.writtenFiles"])
  }

  @Test func aHandoffAsksEachRoleOfAPartOnce() throws {
    try give()
    #expect(record.take() == Self.giving)
    undo()
    #expect(record.take() == Self.undoing)
  }

  /// Where the last part of two fails, whatever follows is not begun; and all is undone, backwards.
  @Test(
    arguments: Self.giving.filter {
      !$0.hasSuffix("rest") && !$0.hasSuffix("save") && !$0.hasSuffix("release")
    })
  func aFailureAtAnyPlaceEndsItThereAndIsUndoneBackwards(_ place: String) throws {
    record.fail(place)
    #expect(throws: Unexpected.self) { try give() }
    let end = try #require(Self.giving.firstIndex(of: place))
    #expect(record.take() == Array(Self.giving[...end]))
    undo()
    #expect(record.take() == Self.undoing)
  }

  @Test func aPlanWithoutCopiesCopiesNothing() throws {
    let none = parts.copied(by: HandoffPlan())
    #expect(none.isEmpty)
    #expect(try parts.precopy(none) == Precopy(.standing))
    try parts.quiesce(none) { 1 }
    try parts.freeze(none)
    #expect(!record.take().contains { $0.hasSuffix("Copy") })
    // Undone all the same: an earlier plan may have begun one.
    parts.letTouch()
    #expect(record.take() == ["c.cancelCopy", "a.cancelCopy", "c.thaw", "a.thaw"])
  }

  @Test func aCopyIsAsFarAsThePartThatIsLeastFar() throws {
    let parts = GuestParts([
      RecordingPart("a", record, progress: Precopy(.settling, copied: 5, total: 5)),
      RecordingPart("b", record, progress: Precopy(.copying, copied: 2, total: 9)),
    ])
    #expect(try parts.precopy(parts.copied(by: Self.plan)) == Precopy(.copying, copied: 7, total: 14))
  }

  @Test func whatIsSomebodyElsesIsAskedForAgain() {
    record.fail("c.reacquire")
    #expect(!parts.reacquire())
    #expect(record.take() == ["c.reacquire"])
    record.fail("a.reacquire")
    #expect(!parts.reacquire())
    record.fail(nil)
    #expect(parts.reacquire())
    #expect(record.take() == ["c.reacquire", "a.reacquire", "c.reacquire", "a.reacquire"])
  }

  @Test func aPartThatCannotGoOnKeepsNoOtherFromIt() {
    record.fail("c.start")
    parts.goOn()
    #expect(record.take() == ["c.start", "b.start", "a.start"])
  }

  // MARK: coming

  @Test func aGuestComesInTheOrderOfTheListAndItsRestBackwards() throws {
    try parts.park()
    parts.rehearse()
    #expect(parts.take())
    parts.begin()
    parts.arrived()
    #expect(
      record.take() == [
        "a.park", "c.park", "a.rehearse", "c.rehearse", "a.take", "c.take", "a.begin", "c.begin", "c.arrived",
        "a.arrived",
      ])
  }

  @Test func whereAPartCannotBeParkedThoseBeforeItLeave() {
    record.fail("a.park")
    #expect(throws: Unexpected.self) { try parts.park() }
    #expect(record.take() == ["a.park"])
    record.fail("c.park")
    #expect(throws: Unexpected.self) { try parts.park() }
    #expect(record.take() == ["a.park", "c.park", "a.leave"])
  }

  @Test func whatIsNotToBeHadYetIsNotTaken() {
    record.fail("a.take")
    #expect(!parts.take())
    record.fail("c.take")
    #expect(!parts.take())
    #expect(record.take() == ["a.take", "a.take", "c.take"])
  }

  @Test func aGuestThatDoesNotComeIsLeftBackwards() {
    parts.leave()
    #expect(record.take() == ["c.leave", "a.leave"])
  }

  // MARK: its life

  @Test func whatCannotBeStartedIsSaidAndTheOthersAre() {
    record.fail("b.start")
    var losses: [String] = []
    parts.start { loss, reason in losses.append("\(loss): \(reason)") }
    #expect(record.take() == ["a.start", "b.start", "c.start"])
    #expect(losses.count == 1 && losses.first?.hasPrefix("b stands still: ") == true)
  }

  @Test func atTheEndNothingIsHeldThenNothingWorksThenTheRestIsDone() throws {
    let place = try TemporaryDirectory()
    let folder = VMFolder(name: "a", directory: try Directory.open(place.path))
    parts.giveUp()
    parts.end(in: folder)
    #expect(
      record.take() == [
        "a.giveUp", "c.giveUp", "a.close", "c.close", "a.stop", "b.stop", "c.stop", "a.end", "c.end",
      ])
  }
}
