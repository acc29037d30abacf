internal import FSRSystem

/// How far the long work of a handoff is, for whoever watches; nothing is decided by it.
extension ControlBlock {
  /// Bytes done and bytes in all of what `party` does ahead of the stun; nil where it has not said.
  public func progress(of party: Party) -> (done: UInt64, total: UInt64)? {
    let place = BlockLayout.progress(party)
    let total = region.atomicLoad(place + 8, as: UInt64.self)
    guard total > 0 else { return nil }
    return (min(region.atomicLoad(place, as: UInt64.self), total), total)
  }

  /// Says that `party` has done so many of so many bytes.
  public func noteProgress(_ done: UInt64, of total: UInt64, by party: Party) {
    let place = BlockLayout.progress(party)
    region.atomicStore(done, at: place)
    region.atomicStore(total, at: place + 8)
  }

  /// Bytes that were copied for this handoff, of swap files and disks; memory is shared and not among them.
  public var copiedBytes: UInt64 {
    get { region.atomicLoad(BlockLayout.copied, as: UInt64.self) }
    set { region.atomicStore(newValue, at: BlockLayout.copied) }
  }
}
