internal import FSRState
internal import FSRSystem

/// Why it ended as it did, where no party has said it.
extension CoordinatorSession {
  /// Who died, of those without whom nobody can go on. What somebody said before of the one may not be all.
  func whyLost() -> Reason {
    let owner = Reason("the process that owned it is gone", code: .lost)
    guard let block, !block.state.isDecided, block.identity(of: .source) != nil else { return owner }
    // The process first: one that leaves has said before that it releases everything, and one that was killed has not.
    if PeerVMM(.destination, of: block, in: world)?.isGone == true, !block.hasReleased(.destination) {
      return Reason("source and destination died", code: .lost)
    }
    return block.isComplete
      ? owner : Reason("the source died before the destination had the guest's state", code: .lost)
  }

  /// Why nobody runs the guest, where no party has said it: as of the last look.
  func whyStunned() -> Reason {
    guard let block else { return Reason("the handoff was not begun") }
    if block.isCorrupt {
      let holders = [Party.source, .destination].filter { PeerVMM($0, of: block, in: world)?.isGone == false }
        .map {
          "process \(block.identity(of: $0)?.pid ?? 0) (the \($0))"
        }
      let held = holders.isEmpty ? "nobody" : holders.joined(separator: " and ")
      return Reason(
        "somebody has written over the word that says who may run it, in control block \(block.attempt), and \(held) "
          + "still \(holders.count > 1 ? "have" : "has") the guest, and may not run it")
    }
    return Reason(whatStands(in: block))
  }

  private func whatStands(in block: ControlBlock) -> String {
    switch block.state {
    case .resumed: return "the source has the guest back and does not let it run"
    case .destination: return "the destination has won and does not let the guest run"
    case .source: return "the source was told to go on and does not"
    case .successor:
      return holdings.copies == nil
        ? "the source is dead or hung, and nobody has its descriptors for a successor"
        : "\(Coordinator.successorLimit) successors did not get to run the guest"
    case .none, .destVerify:
      return holdings.copies == nil
        ? "source and destination do not go on, and nobody has the guest's descriptors for a successor"
        : "source and destination do not go on, and \(machine.successors) successors did not either"
    }
  }
}
