public import FSRSystem

/// Another VMM that must not touch the guest while this one runs it.
struct Rival: ~Copyable {
  let block: ControlBlock
  let party: Party
  /// Nil when it is gone already.
  let process: ProcessDescriptor?

  /// The rival that `block` names as `party`; nil where the block names none.
  init?(_ party: Party, of block: ControlBlock) {
    guard let identity = block.identity(of: party), identity.pid != ProcessIdentity.current().pid else { return nil }
    self.block = block
    self.party = party
    process = (try? ProcessDescriptor.open(identity)) ?? nil
  }

  var isGone: Bool {
    guard let process else { return true }
    return (try? process.hasExited()) ?? false
  }

  /// Whether it can touch nothing of the guest any more.
  var isHarmless: Bool { block.hasReleased(party) || isGone }

  /// Kills it, and waits for the end; false when it cannot be killed.
  func kill(timeout: UInt64) -> Bool {
    guard let process else { return true }
    _ = try? process.signal(SignalNumber.kill)
    return (try? process.waitForExit(timeout: timeout)) ?? false
  }
}
