import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// A source whose control block somebody writes over while the guest runs: the guest stays, and nobody traps.
@Suite struct SpoiltWordTests {
  /// Words that a source may find, each before it has done anything of its own.
  static let words: [UInt64] =
    SpoiltBlockTests.rubbish + [ResumeWord(attempt: 1, state: .resumed).bits]

  @Test(arguments: words) func aSourceKeepsItsGuest(word: UInt64) throws {
    let (end, block, reason) = try Self.handOver { file in
      try file.write((0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }, at: 64)
    }
    guard case .kept = end else { throw Absent() }
    #expect(block.state == .resumed && !block.isCorrupt)
    #expect(reason?.contains("word is written over") == true, "\(reason ?? "none")")
  }

  @Test func aSourceWhoseBlockIsCutShortKeepsItsGuest() throws {
    let (end, _, _) = try Self.handOver { try $0.truncate(to: 0) }
    guard case .kept = end else { throw Absent() }
  }

  /// Nobody has won where this source has said nothing of it, whatever else stands in the block.
  @Test(arguments: [ResumeState.destination, .successor], [false, true])
  func whatNobodyHasWonIsNotGivenAway(state: ResumeState, isSaidComplete: Bool) throws {
    let word = ResumeWord(attempt: 1, state: state).bits
    let (end, block, reason) = try Self.handOver { file in
      if isSaidComplete { try file.write([1, 0, 0, 0], at: 128) }
      try file.write((0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }, at: 64)
    }
    guard case .kept = end else { throw Absent() }
    #expect(block.state == .resumed && !block.isCorrupt)
    #expect(reason?.contains("word is written over") == true, "\(reason ?? "none")")
  }

  /// A handoff of a guest that is described while `body` is done to the block's file.
  private static func handOver(_ body: @escaping @Sendable (borrowing OwnedDescriptor) throws -> Void) throws
    -> (SourceSession<StillSource>.End, ControlBlock, String?)
  {
    let fixture = try BlockFixture()
    let block = try fixture.blocks.create(
      attempt: 1, generation: 1, machine: BlockFixture.machine, state: .none)
    block.deadline = MonotonicClock.now() + 60_000_000_000
    let file = try block.descriptor.duplicate()
    let pair = try UnixSocket.pair()
    let coordinator = try HandoffLink(pair.a)
    let session = SourceSession(
      guest: StillSource([], DescriptorBag(), body: { try body(file) }), block: block,
      blocks: try fixture.blocks.duplicate(), coordinator: try HandoffLink(pair.b), request: HandoffRequest(),
      plan: HandoffPlan())
    let end = session.run()
    _ = try coordinator.receive(timeout: 0, from: "source")
    return (end, block, block.reason(of: .source)?.description)
  }
}
