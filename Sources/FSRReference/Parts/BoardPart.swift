internal import FSRHandoff
internal import FSRMachine
internal import FSRSoftCPU
internal import FSRState

/// The board with its devices and harts.
final class BoardPart: CarriedPart {
  private let state: MachineSections

  init(_ machine: Machine, _ cpus: [SoftCPU]) { state = MachineSections(machine: machine, cpus: cpus) }

  static var readableSections: [SectionVersion] {
    MachineSections.declared(harts: BoardMap.hartLimit, of: SoftCPU.self).map(version)
  }

  private static func version(_ section: MachineSections.Declared) -> SectionVersion {
    SectionVersion(name: section.name, version: section.version, isNeeded: section.isNeeded)
  }

  var names: [String] { state.names }

  var sections: [SectionVersion] {
    state.declared.indices.filter(state.isPresent).map { Self.version(state.declared[$0]) }
  }

  func save(to checkpoint: inout CheckpointWriter) {
    for index in state.declared.indices where state.isPresent(index) {
      let section = state.declared[index]
      checkpoint.section(section.name, version: section.version, isNeeded: section.isNeeded) {
        state.save(index, to: &$0)
      }
    }
  }

  func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws { try state.restore(checkpoint.sections) }
}
