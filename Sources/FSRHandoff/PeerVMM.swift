internal import FSRSystem

/// Another VMM that must not touch the guest while this one runs it: all processes of its party.
final class PeerVMM: Sendable {
  let block: ControlBlock
  let party: Party
  /// Nil when it is gone already, or cannot be looked at.
  let process: (any PeerProcess)?
  /// Whether looking for it failed for a reason of our own: it then counts as alive, and cannot be killed.
  private let isUnknown: Bool
  private let world: any HandoffWorld

  /// The rival that `block` names as `party`; nil where the block names none, or this very process.
  init?(_ party: Party, of block: ControlBlock, in world: any HandoffWorld) {
    let identities = block.identities(of: party)
    if identities.isEmpty { return nil }
    let isVisible = world.sees(block.namespace(of: party))
    if isVisible, identities.contains(world.me) { return nil }
    self.block = block
    self.party = party
    self.world = world
    // A number of another namespace names somebody else here.
    guard isVisible else {
      process = nil
      isUnknown = true
      return
    }
    do throws(SystemError) {
      process = try world.open(identities)
      isUnknown = false
    } catch {
      process = nil
      isUnknown = true
    }
  }

  var isGone: Bool { process?.hasExited ?? !isUnknown }

  /// Whether it can touch nothing of the guest any more.
  var isHarmless: Bool { block.hasReleased(party) || isGone }

  /// Kills it, unless it is nobody's to be killed for this VM.
  func kill() {
    if let process, process.mayBeEnded(forOwnerOf: block.descriptor) { process.kill() }
  }
}
