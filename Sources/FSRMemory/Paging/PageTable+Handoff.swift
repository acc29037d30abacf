internal import FSRSystem

/// The two words by which one side knows that the other changes nothing any more.
extension PageTable {
  /// Whether a handoff holds the table, and its pager has acknowledged it.
  public var isFrozen: Bool {
    region.atomicLoad(PageTableLayout.handoffAt, as: UInt32.self) == 1
      && region.atomicLoad(PageTableLayout.acknowledgedAt, as: UInt32.self) == 1
  }

  /// Sets the flag, before the last look at the table; the pager acknowledges it when it has come to rest.
  func askToFreeze() { region.atomicStore(UInt32(1), at: PageTableLayout.handoffAt) }

  /// The pager's answer: from here on no directory changes.
  func acknowledgeFreeze() {
    region.atomicStore(UInt32(1), at: PageTableLayout.acknowledgedAt)
    region.wake(at: PageTableLayout.acknowledgedAt)
  }

  /// Waits for the answer; false when `deadline` of the monotonic clock passed first.
  ///
  /// - Parameter isHeeded: whether the pager has seen the question; an older answer stands for an instant only.
  func waitUntilFrozen(deadline: UInt64, _ isHeeded: () -> Bool) -> Bool {
    while !isFrozen || !isHeeded() {
      let now = MonotonicClock.now()
      if now >= deadline { return false }
      region.wait(at: PageTableLayout.acknowledgedAt, while: 0, timeout: deadline - now)
    }
    return true
  }

  /// Ends the freeze: by the source that has won, or by the destination as the owner.
  func thaw() {
    region.atomicStore(UInt32(0), at: PageTableLayout.acknowledgedAt)
    region.atomicStore(UInt32(0), at: PageTableLayout.handoffAt)
  }
}
