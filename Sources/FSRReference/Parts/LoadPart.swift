package import FSRHandoff
package import FSRState

extension LoadHistory: CarriedPart, RunningPart {
  /// A build that does not know it passes it on.
  private static let declared = SectionVersion(name: section, version: stateVersion, isNeeded: false)

  package static var readableSections: [SectionVersion] { [declared] }
  package var names: [String] { [Self.section] }
  package var sections: [SectionVersion] { [Self.declared] }

  package func save(to checkpoint: inout CheckpointWriter) {
    checkpoint.section(Self.declared.name, version: Self.declared.version, isNeeded: false) { save(to: &$0) }
  }

  package func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws {
    // A later version than this build reads is left out: nothing depends on it.
    guard let history = checkpoint.sections.first(where: { $0.name == Self.section }),
      history.version <= Self.stateVersion
    else { return }
    var reader = ByteReader(history.payload)
    try restore(from: &reader, version: history.version)
  }

  package var lossWithoutIt: String { "the load averages stand still" }
}
