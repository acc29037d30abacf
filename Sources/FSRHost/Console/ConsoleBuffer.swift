package import FSRState
package import FSRSystem
internal import Synchronization

/// The last MiB of the guest's serial output, and what was typed for it, in a memfd that goes with the guest
/// (`ConsoleLayout`).
///
/// Writing never waits for a file or for a client: those follow behind, and what they are too late for is counted.
package final class ConsoleBuffer: Sendable {
  package let descriptor: OwnedDescriptor
  package let region: Owned<MappedRegion>
  /// Several harts may print at once.
  private let writer = Mutex(())
  private let bell: Doorbell

  package convenience init() throws(SystemError) {
    try self.init(adopting: try Memfd.create(name: "fsr-console", size: ConsoleLayout.size))
  }

  package init(adopting descriptor: consuming OwnedDescriptor) throws(SystemError) {
    guard Memfd.isSizeSealed(descriptor), try descriptor.size() == ConsoleLayout.size else {
      throw SystemError("mmap", on: "console", errno: 22)
    }
    region = Owned(try MappedRegion(mapping: descriptor, length: ConsoleLayout.size))
    // What a guest prints, and what is typed for it, is the guest's own.
    try region.value.excludeFromCoreDumps()
    bell = Doorbell(region: region, offset: ConsoleLayout.outputBell)
    self.descriptor = descriptor
  }

  package func write(_ byte: UInt8) {
    writer.withLock { _ in
      let position = region.value.atomicLoadRelaxed(ConsoleLayout.written, as: UInt64.self)
      region.value.atomicStoreRelaxed(position &+ 1, at: ConsoleLayout.writing)
      // Ordered behind the word above: who has read this byte sees that the one before it in its place is gone.
      region.value.atomicStore(byte, at: ConsoleLayout.outputRing + position % ConsoleLayout.capacity)
      region.value.atomicStore(position &+ 1, at: ConsoleLayout.written)
    }
    bell.ring()
  }

  // MARK: for readers

  /// Bytes ever written.
  package var writtenCount: UInt64 { region.value.atomicLoad(ConsoleLayout.written, as: UInt64.self) }

  /// The oldest byte that is whole at this moment.
  package var oldest: UInt64 {
    let end = region.value.atomicLoad(ConsoleLayout.written, as: UInt64.self)
    // An older build has not kept the second word up.
    let isWriting = region.value.atomicLoadRelaxed(ConsoleLayout.writing, as: UInt64.self) == end &+ 1
    let gone = isWriting ? end &+ 1 : end
    return gone > ConsoleLayout.capacity ? gone - ConsoleLayout.capacity : 0
  }

  /// A copy of `count` bytes, at most a ring, from `position`; a writer may overwrite them meanwhile.
  package func bytes(at position: UInt64, count: Int) -> [UInt8] {
    let start = position % ConsoleLayout.capacity
    let first = min(count, Int(ConsoleLayout.capacity - start))
    let rest = count - first
    let head = region.value.bytes(at: ConsoleLayout.outputRing + start, count: first)
    return rest == 0 ? head : head + region.value.bytes(at: ConsoleLayout.outputRing, count: rest)
  }

  /// Sleeps until more than `count` bytes were ever written, `timeout` nanoseconds at most, or for less.
  package func waitForOutput(beyond count: UInt64, timeout: UInt64, unless isOver: () -> Bool) {
    bell.sleep(timeout: timeout) { writtenCount != count || isOver() }
  }

  package func wakeReaders() { bell.ring() }

  // MARK: for the drain

  /// Bytes that no file has seen.
  package var droppedCount: UInt64 { region.value.atomicLoadRelaxed(ConsoleLayout.dropped) }

  /// Bytes that are to go to the file.
  package var undrainedCount: UInt64 {
    let end = writtenCount
    return end - drained(before: end)
  }

  /// Where the drain goes on. The counter comes from another process at first: one that cannot be is the oldest
  /// byte kept.
  private func drained(before end: UInt64) -> UInt64 {
    let start = region.value.atomicLoadRelaxed(ConsoleLayout.drained, as: UInt64.self)
    return start > end ? min(oldest, end) : start
  }

  /// What is to go to the file next, `limit` bytes at most; `take` says afterwards how many went.
  package func pending(limit: Int) -> [UInt8] {
    let end = writtenCount
    var start = drained(before: end)
    if end - start > ConsoleLayout.capacity {
      // Half a ring ahead of the writer, not a byte: it would be overtaken again at once.
      let target = end - ConsoleLayout.capacity / 2
      addDropped(target - start)
      start = target
    }
    var bytes = bytes(at: start, count: Int(min(end - start, UInt64(limit))))
    // The copy comes before the look at what was overwritten meanwhile.
    atomicMemoryFence(ordering: .acquiring)
    let oldest = oldest
    if oldest > start {
      let gone = min(oldest - start, UInt64(bytes.count))
      addDropped(gone)
      bytes.removeFirst(Int(gone))
      start += gone
    }
    region.value.atomicStoreRelaxed(start, at: ConsoleLayout.drained)
    return bytes
  }

  /// Says that `count` pending bytes have been dealt with.
  package func take(_ count: Int, areLost: Bool = false) {
    region.value.atomicStoreRelaxed(
      region.value.atomicLoadRelaxed(ConsoleLayout.drained, as: UInt64.self) &+ UInt64(count),
      at: ConsoleLayout.drained)
    if areLost { addDropped(UInt64(count)) }
  }

  private func addDropped(_ count: UInt64) {
    region.value.atomicStoreRelaxed(
      region.value.atomicLoadRelaxed(ConsoleLayout.dropped, as: UInt64.self) &+ count,
      at: ConsoleLayout.dropped)
  }

  // MARK: how the guest fares

  /// Whether the guest was told to stand still, so that nobody takes it for deaf.
  package var isPaused: Bool {
    get { region.value.atomicLoad(ConsoleLayout.paused, as: UInt32.self) != 0 }
    set { region.value.atomicStore(UInt32(newValue ? 1 : 0), at: ConsoleLayout.paused) }
  }

  /// How the guest ended by itself, for those who still read its last words; nil where it has not.
  package var end: GuestEnd? {
    get {
      let length = region.value.atomicLoad(ConsoleLayout.end, as: UInt32.self)
      guard length > 0, length <= ConsoleLayout.endLimit else { return nil }
      let text = region.value.bytes(at: ConsoleLayout.end + 4, count: Int(length))
      return GuestEnd(text: String(decoding: text, as: UTF8.self))
    }
    set {
      let text = Array((newValue?.text ?? "").utf8.prefix(ConsoleLayout.endLimit))
      region.value.copy(text, to: ConsoleLayout.end + 4)
      region.value.atomicStore(UInt32(text.count), at: ConsoleLayout.end)
      bell.ring()
    }
  }
}
