/// What a VMM answers to the wish to pause the guest or to let it run: one byte.
public enum PauseAnswer: UInt8, CaseIterable, Sendable {
  case done
  /// A handoff has stopped the guest: ask again.
  case inHandoff
  case ended
  /// The vCPUs did not stop in time, and run on.
  case late

  package var encoded: [UInt8] { [rawValue] }

  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 1, let byte = bytes.first else { return nil }
    self.init(rawValue: byte)
  }
}
