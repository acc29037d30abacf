package import FSRHandoff
internal import FSRMemory
package import FSRState
package import FSRSystem

extension GuestPaging: CarriedPart {
  /// In a checkpoint of a guest whose memory is paged: how many pages are where.
  private static let pages = SectionVersion(name: "pages", version: 1)

  /// In a checkpoint of a handoff to a swap file of the destination's own; empty. Who does not know it would leave the old
  /// one behind.
  private static let mirrored = SectionVersion(name: "swap-mirrored", version: 1)

  package static var readableSections: [SectionVersion] { [pages, mirrored] }
  package var names: [String] { Self.readableSections.map(\.name) }
  package var sections: [SectionVersion] { [Self.pages] }

  package func save(to checkpoint: inout CheckpointWriter) {
    checkpoint.section(Self.pages.name, version: Self.pages.version) { table.counts.save(to: &$0) }
  }

  /// Checks what the source left, by what its checkpoint says; in a rehearsal the table is still the source's.
  package func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws {
    if isRehearsal { return }
    let told = try checkpoint.section(Self.pages.name)
    guard told.version == Self.pages.version else {
      throw StateError.sectionVersion(told.name, has: told.version, reads: Self.pages.version)
    }
    var reader = ByteReader(told.payload)
    try verify(try PageCounts(from: &reader))
  }
}

extension GuestPaging: CopyingPart {
  package func isCopied(by plan: HandoffPlan) -> Bool {
    switch plan.swap {
    case .shared: false
    case .mirrored: true
    }
  }

  package var copySections: [SectionVersion] { [Self.mirrored] }

  package func saveCopy(to checkpoint: inout CheckpointWriter) {
    checkpoint.section(Self.mirrored.name, version: Self.mirrored.version) { _ in }
  }
}

extension GuestPaging: DescribedPart, AnsweringPart, OwnedStorage, ArrivingPart, FileWritingPart {
  package func park() throws { try start(isToWait: true) }

  package func writtenFiles(into bag: inout DescriptorBag) throws { bag.append(try makeClaim()) }
}
