package import FSRHandoff
package import FSRState

extension HostClock: CarriedPart {
  private static let section = SectionVersion(name: "clock", version: stateVersion)

  package static var readableSections: [SectionVersion] { [section] }
  package var names: [String] { [Self.section.name] }
  package var sections: [SectionVersion] { [Self.section] }

  package func save(to checkpoint: inout CheckpointWriter) {
    checkpoint.section(Self.section.name, version: Self.section.version) { save(to: &$0) }
  }

  package func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws {
    let time = try checkpoint.section(Self.section.name)
    var reader = ByteReader(time.payload)
    try restore(from: &reader, version: time.version)
  }
}
