import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// Guests that a build has given away once: whatever becomes of VMMs, one of today takes them over.
///
/// A manifest and a checkpoint are held, as they were sent. The guest's memory is not: it runs into its own faults.
@Suite(.serialized) struct KeptGuestTests {
  /// What a source of then, or one that knows more, may have in its checkpoint besides.
  enum Addition: CaseIterable, Sendable {
    case nothing, paused, unknown

    var sections: [StateSection] {
      switch self {
      case .nothing: []
      case .paused: [StateSection(name: "paused", version: 1, payload: [])]
      case .unknown: [StateSection(name: "a-later-one", version: 9, isNeeded: false, payload: [1, 2])]
      }
    }
  }

  private static func kept(_ name: String) throws -> LyingSource.Good {
    let manifest = Fixture("\(name)-manifest.hex")
    let checkpoint = Fixture("\(name)-checkpoint.hex")
    if name == "guest" { try add(manifest, checkpoint) }
    return LyingSource.Good(
      manifest: try Manifest(decoding: manifest.bytes()), checkpoint: try checkpoint.bytes())
  }

  private static func add(_ manifest: Fixture, _ checkpoint: Fixture) throws {
    var captured: LyingSource.Good?
    try manifest.addIfMissing {
      let good = try LyingSource.Good.capture()
      captured = good
      return good.manifest.encoded
    }
    try checkpoint.addIfMissing {
      guard let captured else { throw Unexpected("manifest and checkpoint are of one handoff") }
      return try withoutTimes(captured)
    }
  }

  /// The checkpoint as it would be soon after the host's boot: times are counted from there, and none may lie ahead.
  private static func withoutTimes(_ good: LyingSource.Good) throws -> [UInt8] {
    let sections = try Checkpoint(decoding: good.checkpoint).sections.map { section in
      var writer = ByteWriter()
      switch section.name {
      case "clock": writer.write(UInt64(1_000_000))
      case "load":
        writer.write(UInt16(2))
        for word: UInt64 in [5, 1, 7, 2, 0, 0, 0, 9, 12] { writer.write(word) }
      default: return section
      }
      return StateSection(
        name: section.name, version: section.version, isNeeded: section.isNeeded, payload: writer.bytes)
    }
    return LyingSource.Good.encode(sections, machine: good.manifest.machine, attempt: LyingSource.attempt)
  }

  @Test(arguments: ["old/guest", "guest"], Addition.allCases)
  func aGuestOfThenIsTakenOver(name: String, addition: Addition) async {
    await Blocking.check {
      let good = try Self.kept(name)
      let sections = try Checkpoint(decoding: good.checkpoint).sections + addition.sections
      let source = try LyingSource(good)
      try source.send(source.hello(sections.map(Self.version)), try source.introduction())
      guard case .agreed = try source.answer() else { return ["it does not agree"] + [try source.end().said] }
      let memory = Owned(try Memfd.create(name: "kept", size: good.manifest.checkpointCapacity))
      let bag = try source.descriptors { slot, _ in
        slot == "checkpoint" ? try memory.value.duplicate() : nil
      }
      try source.send(.manifest, bag)
      let said = try source.answer()
      guard said == .prepared else { return ["\(said as Any): \(try source.end().said)"] }
      try source.complete(
        LyingSource.Good.encode(sections, machine: good.manifest.machine, attempt: LyingSource.attempt),
        in: memory.value)
      let isSettled = source.isSettled()
      let state = source.block.state
      let (status, words) = try source.end()
      return isSettled && state == .destination && status == .signaled(SignalNumber.kill)
        ? [] : ["\(name), \(addition): \(state), \(status as Any): \(words)"]
    }
  }

  private static func version(_ section: StateSection) -> SectionVersion {
    SectionVersion(name: section.name, version: section.version, isNeeded: section.isNeeded)
  }
}
