internal import FSRSystem
internal import Synchronization

/// Changing a bitmap: by the one process whose it is.
extension SlotBitmap {
  /// Free runs that are looked at for a long one.
  static let runsToCompare = 32

  /// Takes a free slot: the first from `hint` on, or from where the last one was found, and then from the start.
  /// Nil where all are in use.
  public func allocate(near hint: UInt64? = nil) -> UInt64? { allocateRun(near: hint, upTo: 1)?.lowerBound }

  /// Takes 1 to `wanted` adjacent slots: the longest of the next few free runs from `hint` on, or from where the last
  /// was found, so that pages that leave memory together lie together. Nil where all slots are in use.
  public func allocateRun(near hint: UInt64? = nil, upTo wanted: UInt64) -> Range<UInt64>? {
    precondition(wanted > 0, "at least one slot")
    return writer.withLock { _ in
      guard freeCount > 0 else { return nil }
      let all = count
      var start = hint ?? word(Header.hintWord)
      if start >= all { start = 0 }
      let found = longest(in: start..<all, upTo: wanted) ?? longest(in: 0..<start, upTo: wanted)
      guard let found else { return nil }
      set(found, used: true)
      region.atomicStoreRelaxed(word(Header.usedWord) &+ length(found), at: Header.usedWord)
      region.atomicStoreRelaxed(found.upperBound, at: Header.hintWord)
      return found
    }
  }

  /// The longest of the first free runs in `range`, cut at `wanted`: no bit behind the cut is looked at.
  private func longest(in range: Range<UInt64>, upTo wanted: UInt64) -> Range<UInt64>? {
    var best: Range<UInt64>?
    var position = range.lowerBound
    for _ in 0..<Self.runsToCompare {
      guard let start = next(used: false, from: position, below: range.upperBound) else { break }
      let cut = start + min(wanted, range.upperBound - start)
      let end = next(used: true, from: start, below: cut) ?? cut
      if best.map({ length($0) < end - start }) ?? true { best = start..<end }
      if end - start == wanted { break }
      position = end
    }
    return best
  }

  /// Gives `slot` back; false, and nothing happens, where it is not in use.
  @discardableResult
  public func free(_ slot: UInt64) -> Bool { free(slot..<(slot &+ 1)) == 1 }

  /// Gives those of `slots` back that are in use; answers how many.
  @discardableResult
  public func free(_ slots: Range<UInt64>) -> UInt64 {
    writer.withLock { _ in
      var freed: UInt64 = 0
      for run in SlotRuns(of: self, used: true, slots) {
        set(run, used: false)
        freed += length(run)
      }
      let used = word(Header.usedWord)
      region.atomicStoreRelaxed(used - min(freed, used), at: Header.usedWord)
      return freed
    }
  }

  /// Makes `newCount` slots be there, at most `limit`; the new ones are free. Never fewer than before.
  public func grow(to newCount: UInt64) {
    precondition(newCount <= limit, "no more slots than the limit")
    writer.withLock { _ in
      if newCount > count { region.atomicStoreRelaxed(newCount, at: Header.countWord) }
    }
  }

  /// Takes the free slots of `range` that are adjacent from its start, none where the first is in use or not there:
  /// for what must know that nobody else has them meanwhile.
  func take(_ range: Range<UInt64>) -> Range<UInt64>? {
    writer.withLock { _ in
      var runs = SlotRuns(of: self, used: false, range)
      guard let run = runs.next(), run.lowerBound == range.lowerBound else { return nil }
      set(run, used: true)
      region.atomicStoreRelaxed(word(Header.usedWord) &+ length(run), at: Header.usedWord)
      return run
    }
  }

  private func length(_ run: Range<UInt64>) -> UInt64 { run.upperBound - run.lowerBound }

  private func set(_ run: Range<UInt64>, used: Bool) {
    var slot = run.lowerBound
    while slot < run.upperBound {
      let end = min(run.upperBound, (slot / 64 + 1) * 64)
      let mask = (UInt64.max >> (64 - (end - slot))) << (slot % 64)
      let old = bits(slot / 64)
      region.atomicStoreRelaxed(used ? old | mask : old & ~mask, at: Header.size + slot / 64 * 8)
      slot = end
    }
  }
}
