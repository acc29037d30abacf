package import FSRHandoff
package import FSRHost

extension GuestPorts: DescribedPart, CarriedPart, DrainingPart, ArrivingPart, EndingPart {
  package static var readableSections: [SectionVersion] { allSections.map(version) }

  private static func version(of name: String) -> SectionVersion {
    SectionVersion(name: name, version: PortCounters.stateVersion)
  }

  package var names: [String] { members.map(\.section) }
  package var sections: [SectionVersion] { names.map(Self.version) }

  package var lossWithoutIt: String { "frames wait in their taps" }

  /// They rest since `quiesce`: one look is left.
  package func drain() { rest() }

  package func arrived() { launch() }
  package func leave() { stop() }

  /// Gives the taps back as they were, for whoever has them next.
  package func end(in folder: borrowing VMFolder) {
    let note = TapNote(in: folder)
    for member in members { note.restore(member.port.tap, by: member.queues) }
  }
}
