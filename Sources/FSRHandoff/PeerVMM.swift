internal import FSRSystem

/// Another VMM that must not touch the guest while this one runs it.
final class PeerVMM: Sendable {
  let block: ControlBlock
  let party: Party
  /// Nil when it is gone already, or cannot be looked at.
  let process: Owned<ProcessDescriptor>?
  /// Whether looking for it failed for a reason of our own: it then counts as alive, and cannot be killed.
  private let isUnknown: Bool
  private let identity: ProcessIdentity

  /// The rival that `block` names as `party`; nil where the block names none, or this very process.
  init?(_ party: Party, of block: ControlBlock) {
    guard let identity = block.identity(of: party) else { return nil }
    let namespace = block.namespace(of: party)
    if namespace.isOwn, identity == ProcessIdentity.current() { return nil }
    self.block = block
    self.party = party
    self.identity = identity
    // A number of another namespace names somebody else here.
    guard namespace.isOwn else {
      process = nil
      isUnknown = true
      return
    }
    do throws(SystemError) {
      if let opened = try ProcessDescriptor.open(identity) { process = Owned(opened) } else { process = nil }
      isUnknown = false
    } catch {
      process = nil
      isUnknown = true
    }
  }

  var isGone: Bool {
    guard let process else { return !isUnknown }
    return (try? process.value.hasExited()) ?? false
  }

  /// Whether it can touch nothing of the guest any more.
  var isHarmless: Bool { block.hasReleased(party) || isGone }

  /// Waits for its end; false when `timeout` nanoseconds passed.
  func waitForExit(timeout: UInt64) -> Bool {
    guard let process else { return !isUnknown }
    return (try? process.value.waitForExit(timeout: timeout)) ?? false
  }

  /// Kills it, and waits for the end; false when it cannot be killed, or is nobody's to be killed for this VM.
  func kill(timeout: UInt64) -> Bool {
    guard let process else { return !isUnknown }
    guard EndingRight.mayEnd(process.value, identity, forOwnerOf: block.descriptor) else {
      return waitForExit(timeout: timeout)
    }
    _ = try? process.value.signal(SignalNumber.kill)
    return waitForExit(timeout: timeout)
  }
}
