internal import FSRSystem

/// What a coordinator has and knows while it works.
extension CoordinatorSession {
  /// What it says of how it ended.
  struct Verdict {
    /// Nil where there is nothing to say.
    var reason: Reason? {
      // A source has no words where another party has them.
      didSet { if reason?.what.isEmpty == true { reason = nil } }
    }
    /// Why nobody runs the guest any more, as of the moment in which that was seen.
    var loss: Reason?
    /// Whether nothing was begun, for a reason that was found before anybody was asked.
    var isObstructed = false
  }

  /// What it has of others.
  struct Holdings {
    var lock: Owned<VMLock>?
    /// To whoever it asked to hand the guest over, or has started.
    var channel: Owned<HandoffLink>?
    /// The guest's descriptors, for a successor.
    var copies: Owned<HeldDescriptors>?
  }

  /// The two that race.
  struct Peers {
    var source: PeerVMM?
    var destination: PeerVMM?

    /// Looks for those that were not there before.
    mutating func find(of block: ControlBlock, in world: any HandoffWorld) {
      if source == nil { source = PeerVMM(.source, of: block, in: world) }
      if destination == nil { destination = PeerVMM(.destination, of: block, in: world) }
    }
  }

  /// How long it lets others go on.
  struct Patience {
    var stall = StallDetector()
    var unattended = UnattendedWatch()
    /// When a handoff of this coordinator's is called off. The block says so too, to all who may write there.
    var deadline: UInt64 = .max
  }
}
