internal import FSRHandoff
internal import FSRState

/// Whether the guest is paused: a section in a checkpoint of one that is, and in no other; empty.
final class PauseState: CarriedPart {
  private static let section = SectionVersion(name: "paused", version: 1)

  private let threads: VCPUThreads

  init(of threads: VCPUThreads) { self.threads = threads }

  static var readableSections: [SectionVersion] { [section] }
  var names: [String] { [Self.section.name] }
  var sections: [SectionVersion] { threads.isPaused ? [Self.section] : [] }

  func save(to checkpoint: inout CheckpointWriter) {
    if threads.isPaused { checkpoint.section(Self.section.name, version: Self.section.version) { _ in } }
  }

  func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws {
    let pause = checkpoint.sections.first { $0.name == Self.section.name }
    if let pause, pause.version != Self.section.version {
      throw StateError.sectionVersion(pause.name, has: pause.version, reads: Self.section.version)
    }
    threads.restorePaused(pause != nil)
  }
}
