internal import FSRSystem

extension ControlBlock {
  /// Of source and destination that live while nobody runs the guest: why each does nothing, and what a person can do.
  public var standstills: [String] {
    let world = LinuxWorld.shared
    return [Party.source, .destination].compactMap { party in
      guard let identity = identity(of: party), identity != world.me,
        PeerVMM(party, of: self, in: world)?.isGone == false, !hasReleased(party)
      else { return nil }
      // Before complete it waits for the source, and is in nobody's way.
      if party == .destination, !isComplete, PeerVMM(.source, of: self, in: world)?.isGone == false {
        return nil
      }
      return "the \(party): \(world.standstill(of: identity))"
    }
  }
}
