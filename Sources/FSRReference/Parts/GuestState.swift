package import FSRHandoff
package import FSRState
internal import Synchronization

/// What of a guest is in a checkpoint: the sections of its parts, and those that this build only passes on.
package final class GuestState: Sendable {
  /// Bytes for a rehearsal's checkpoint: it grows where that is too little.
  private static let rehearsalCapacity = 65536

  private let parts: GuestParts
  /// The names of all sections that are loaded here; made ahead, as they are needed in the stun.
  private let known: Set<String>
  /// Optional sections of a build that knows more than this one: they go on to the next.
  private let passedOn = Mutex<[StateSection]>([])

  /// - Parameter known: names of sections that may come though no part of this guest loads them.
  package init(of parts: GuestParts, known: Set<String> = []) {
    self.parts = parts
    self.known = known.union(parts.carried.flatMap(\.names))
  }

  /// The sections that a checkpoint would have now, with the version in which this build writes them.
  package var sections: [SectionVersion] { parts.carried.flatMap(\.sections) }

  /// Writes all of them, and what is passed on behind them. Runs in the stun.
  package func save(to checkpoint: inout CheckpointWriter) {
    for part in parts.carried { part.save(to: &checkpoint) }
    for section in passedOn.withLock({ $0 }) { checkpoint.passOn(section) }
  }

  /// Loads the state of a checkpoint: all of it, or it throws and the guest must not run.
  ///
  /// - Parameter isRehearsal: whether memory is still the source's.
  package func load(_ checkpoint: Checkpoint, isRehearsal: Bool = false) throws {
    for part in parts.carried { try part.load(checkpoint, isRehearsal: isRehearsal) }
    let unknown = checkpoint.sections.filter { !known.contains($0.name) }
    if let needed = unknown.first(where: \.isNeeded) { throw StateError.unknownSection(needed.name) }
    passedOn.withLock { $0 = unknown }
  }

  /// Saves and loads the state of a guest that never ran, so that in the stun every page of code and heap that
  /// a checkpoint needs has been touched before.
  package func rehearse() throws {
    for _ in 0..<2 {
      var writer = CheckpointWriter(
        machine: MachineIdentity(high: 0, low: 0), attempt: 0, capacity: Self.rehearsalCapacity)
      save(to: &writer)
      let bytes = writer.bytes
      guard Checksum.of(bytes) != 0 else { throw StateError.checksum }
      try load(try Checkpoint(decoding: bytes), isRehearsal: true)
    }
    parts.rehearse()
  }
}
