internal import FSRMachine
internal import FSRSystem
internal import Synchronization

/// The last MiB of the guest's serial output, in a memfd that goes with the guest.
///
/// ```
/// 0   bytes ever written    8   bytes ever taken to the file    16   bytes that were overwritten before
/// 4096   the ring
/// ```
/// Writing never waits for a file: the drain follows behind, and what it is too late for is counted.
final class ConsoleBuffer: ConsoleSink, Sendable {
  static let capacity: UInt64 = 1 << 20
  static let size: UInt64 = 4096 + capacity
  private static let written: UInt64 = 0
  private static let drained: UInt64 = 8
  private static let dropped: UInt64 = 16
  private static let ring: UInt64 = 4096

  let descriptor: OwnedDescriptor
  private let region: MappedRegion
  /// Several harts may print at once.
  private let writer = Mutex(())

  convenience init() throws(SystemError) {
    try self.init(adopting: try Memfd.create(name: "fsr-console", size: Self.size))
  }

  init(adopting descriptor: consuming OwnedDescriptor) throws(SystemError) {
    guard Memfd.isSizeSealed(descriptor), try descriptor.size() == Self.size else {
      throw SystemError("mmap", on: "console", errno: 22)
    }
    region = try MappedRegion(mapping: descriptor, length: Self.size)
    self.descriptor = descriptor
  }

  func write(_ byte: UInt8) {
    writer.withLock { _ in
      let position = region.atomicLoadRelaxed(Self.written, as: UInt64.self)
      region.atomicStoreRelaxed(byte, at: Self.ring + position % Self.capacity)
      region.atomicStore(position &+ 1, at: Self.written)
    }
  }

  /// Bytes that no file has seen.
  var droppedCount: UInt64 { region.atomicLoadRelaxed(Self.dropped) }

  /// What is to go to the file next, `limit` bytes at most; `drop` says afterwards how many went.
  func pending(limit: Int) -> [UInt8] {
    let end = region.atomicLoad(Self.written, as: UInt64.self)
    var start = region.atomicLoadRelaxed(Self.drained, as: UInt64.self)
    // The counters come from another process at first: a start that cannot be is the oldest byte kept.
    if start > end || end - start > Self.capacity {
      let oldest = end > Self.capacity ? end - Self.capacity : 0
      if start < oldest { addDropped(oldest - start) }
      start = oldest
      region.atomicStoreRelaxed(start, at: Self.drained)
    }
    let count = Int(min(end - start, UInt64(limit)))
    return (0..<count).map { region.atomicLoadRelaxed(Self.ring + (start &+ UInt64($0)) % Self.capacity) }
  }

  /// Says that `count` pending bytes have been dealt with.
  func take(_ count: Int, areLost: Bool = false) {
    region.atomicStoreRelaxed(
      region.atomicLoadRelaxed(Self.drained, as: UInt64.self) &+ UInt64(count), at: Self.drained)
    if areLost { addDropped(UInt64(count)) }
  }

  private func addDropped(_ count: UInt64) {
    region.atomicStoreRelaxed(
      region.atomicLoadRelaxed(Self.dropped, as: UInt64.self) &+ count, at: Self.dropped)
  }
}
