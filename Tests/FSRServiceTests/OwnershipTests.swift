import FSRHandoff
import FSRHost
import FSRService
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// Which handoff of a VM may begin, as its owner sees it: whoever asks may have taken no lock.
@Suite struct OwnershipTests {
  private static let machine = MachineIdentity(high: 1, low: 2)

  private static func block(
    _ attempt: UInt32, generation: UInt64 = 4, machine: MachineIdentity = machine,
    state: ResumeState = .none, source: ProcessIdentity? = .current()
  ) throws -> ControlBlock {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("block", .readWriteCreating)
    let block = try ControlBlock(
      filling: file, attempt: attempt, generation: generation, machine: machine, state: state)
    if let source { block.enroll(.source, as: source) }
    return block
  }

  /// Of a VM whose guest came here by attempt 5, in generation 4 since.
  private static func owner() throws -> Ownership {
    Ownership(by: try block(5, generation: 3, state: .destination))
  }

  @Test func aSecondHandoffWaitsForTheEndOfTheFirst() throws {
    let (ownership, first, second) = (try Self.owner(), try Self.block(6), try Self.block(7))
    #expect(ownership.begin(first, unless: { nil }) == nil && ownership.current === first)
    #expect(ownership.begin(second, unless: { nil })?.code == .busy && ownership.current === first)
    // Not by the end of another one.
    ownership.end(second)
    #expect(ownership.begin(second, unless: { nil })?.code == .busy)
    ownership.end(first)
    #expect(ownership.begin(second, unless: { nil }) == nil && ownership.current === second)
  }

  @Test func whatStandsInTheWayIsSaidAndNothingBegins() throws {
    let (ownership, next) = (try Self.owner(), try Self.block(6))
    #expect(ownership.begin(next, unless: { HandoffReport.vmStops }) == HandoffReport.vmStops)
    #expect(ownership.current == nil)
  }

  /// The guest's end waits for a handoff under way, and none begins behind it.
  @Test func noneBeginsBehindTheGuestsEnd() throws {
    let (ownership, first, second) = (try Self.owner(), try Self.block(6), try Self.block(7))
    #expect(ownership.begin(first, unless: { nil }) == nil && !ownership.close())
    ownership.end(first)
    #expect(ownership.close())
    #expect(ownership.begin(second, unless: { nil })?.code == .guestEnded && ownership.current == nil)
  }

  @Test func oneThatHasEndedIsGivenUpByNobody() throws {
    let (ownership, first) = (try Self.owner(), try Self.block(6))
    let isGivenUp = OneWayFlag()
    #expect(ownership.begin(first, unless: { nil }) == nil)
    ownership.note { isGivenUp.raise() }
    ownership.end(first)
    ownership.giveUp()
    #expect(!isGivenUp.isUp)
  }

  @Test func onlyABlockOfTheNextHandoffIsTaken() throws {
    let ownership = try Self.owner()
    let (nearest, farthest) = (try Self.block(6), try Self.block(21))
    #expect(ownership.generation == 4 && ownership.isNext(nearest) && ownership.isNext(farthest))
    for wrong in [
      try Self.block(5), try Self.block(22), try Self.block(6, generation: 3),
      try Self.block(6, machine: MachineIdentity(high: 1, low: 3)), try Self.block(6, state: .source),
      try Self.block(6, source: nil),
      try Self.block(
        6, source: ProcessIdentity(pid: 1, startTime: 1, bootID: ProcessIdentity.current().bootID)),
    ] { #expect(!ownership.isNext(wrong)) }
    let taken = try Self.block(6)
    taken.enroll(.destination, as: .current())
    let complete = try Self.block(6)
    complete.complete(length: 1, checksum: 1)
    let long = try Self.block(6)
    long.maxDowntime = HandoffLimits.longest + 1
    for wrong in [taken, complete, long] { #expect(!ownership.isNext(wrong)) }
  }

  /// A handoff that is called off gives the guest back by itself: until then it is under way.
  @Test func oneIsCalledOffThroughTheWord() throws {
    let (ownership, first) = (try Self.owner(), try Self.block(6))
    #expect(ownership.callOff(because: HandoffReport.vmStops))
    #expect(ownership.begin(first, unless: { nil }) == nil)
    #expect(!ownership.callOff(because: HandoffReport.vmStops))
    #expect(first.state == .source && first.reason(of: .source)?.code == .stopping)
  }
}
