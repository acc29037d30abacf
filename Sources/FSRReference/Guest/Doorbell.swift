internal import FSRSystem
internal import Synchronization

/// A word in shared memory by which somebody who waits for news is woken, in whatever process.
///
/// It is 1 while somebody sleeps or is about to, so that news costs no system call while nobody does. A sleeper's
/// death harms nobody; a ringer that dies after its news and before the bell is late by the sleeper's timeout.
struct Doorbell: Sendable {
  let region: Owned<MappedRegion>
  let offset: UInt64

  /// Wakes all who sleep. Called after the news was stored.
  func ring() {
    // Before the look at the bell, as the sleeper's comes before its look at the news: one sees the other.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    guard region.value.atomicLoadRelaxed(offset, as: UInt32.self) != 0 else { return }
    region.value.atomicStore(UInt32(0), at: offset)
    region.value.wake(at: offset)
  }

  /// Sleeps until the bell rings, for `timeout` nanoseconds at most; not at all where `hasNews` says so. It may
  /// return early: the caller looks again.
  func sleep(timeout: UInt64, unless hasNews: () -> Bool) {
    region.value.atomicStore(UInt32(1), at: offset)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if hasNews() { return }
    region.value.wait(at: offset, while: 1, timeout: timeout)
  }
}
