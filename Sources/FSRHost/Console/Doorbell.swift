package import FSRSystem
internal import Synchronization

/// A word in shared memory by which all who wait for news are woken, in whatever process.
///
/// ```
/// bits 31 … 1  rings so far    bit 0  somebody sleeps or is about to
/// ```
/// Bit 0 spares news a system call while nobody sleeps. The rings tell a sleeper of one that came before it slept, though
/// another sleeper has set bit 0 again since. A sleeper's death harms nobody; a ringer that dies after its news and before
/// the bell is late by the sleeper's timeout.
package struct Doorbell: Sendable {
  private let region: Owned<MappedRegion>
  private let offset: UInt64
  private static let tries = 100

  package init(region: Owned<MappedRegion>, offset: UInt64) {
    self.region = region
    self.offset = offset
  }

  /// Wakes all who sleep. Called after the news was stored.
  package func ring() {
    // Before the look at the bell, as the sleeper's comes before its look at the news: one sees the other.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    var word = region.value.atomicLoadRelaxed(offset, as: UInt32.self)
    // Another one who rings, or is about to sleep, changes it meanwhile; nobody may keep a VMM here by doing so.
    for _ in 0..<Self.tries where word & 1 != 0 {
      let swap = region.value.atomicCompareExchange(offset, expected: word, desired: (word & ~1) &+ 2)
      if swap.exchanged {
        region.value.wake(at: offset)
        return
      }
      word = swap.original
    }
    if word & 1 != 0 { region.value.wake(at: offset) }
  }

  /// Sleeps until the bell rings, for `timeout` nanoseconds at most; not at all where `hasNews` says so. It may
  /// return early: the caller looks again.
  package func sleep(timeout: UInt64, unless hasNews: () -> Bool) {
    let word = region.value.atomicLoad(offset, as: UInt32.self)
    if word & 1 == 0 {
      // Another one who does something here is a reason to look again.
      guard region.value.atomicCompareExchange(offset, expected: word, desired: word | 1).exchanged else {
        return
      }
    }
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if hasNews() { return }
    region.value.wait(at: offset, while: word | 1, timeout: timeout)
  }
}
