public import FSRSystem

/// An integer that guest memory loads, stores and exchanges in one piece.
public typealias GuestWord = AtomicWord

extension GuestMemory {
  /// Whether `count` bytes from `offset` lie in RAM.
  @inlinable @inline(__always)
  public func contains(_ offset: UInt64, count: UInt64) -> Bool { region.contains(offset, count: count) }

  /// What a guest's load at `offset` sees, or nil where it does not lie in RAM.
  ///
  /// An aligned load is a relaxed atomic one; a misaligned one may be torn, as the architecture allows.
  @inlinable @inline(__always)
  public func guestLoad<T: GuestWord>(_ offset: UInt64, as type: T.Type = T.self) -> T? {
    let width = UInt64(MemoryLayout<T>.size)
    guard region.contains(offset, count: width) else { return nil }
    if offset % width == 0 { return region.atomicLoadRelaxed(offset, as: type) }
    return region.load(offset, as: type)
  }

  /// A guest's store at `offset`; answers false, and stores nothing, where it does not lie in RAM.
  @inlinable @inline(__always)
  public func guestStore<T: GuestWord>(_ value: T, at offset: UInt64) -> Bool {
    let width = UInt64(MemoryLayout<T>.size)
    guard region.contains(offset, count: width) else { return false }
    if offset % width == 0 {
      region.atomicStoreRelaxed(value, at: offset)
    } else {
      region.store(value, at: offset)
    }
    return true
  }

  // MARK: forwarded; an access outside traps

  /// The value at `offset`, any alignment.
  @inlinable @inline(__always)
  public func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: UInt64, as type: T.Type = T.self) -> T {
    region.load(offset, as: type)
  }

  /// Puts `value` at `offset`, any alignment.
  @inlinable @inline(__always)
  public func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: UInt64) {
    region.store(value, at: offset)
  }

  /// An aligned load that cannot be torn.
  @inlinable @inline(__always)
  public func atomicLoadRelaxed<T: GuestWord>(_ offset: UInt64, as type: T.Type = T.self) -> T {
    region.atomicLoadRelaxed(offset, as: type)
  }

  /// An aligned store that cannot be seen torn.
  @inlinable @inline(__always)
  public func atomicStoreRelaxed<T: GuestWord>(_ value: T, at offset: UInt64) {
    region.atomicStoreRelaxed(value, at: offset)
  }

  /// Replaces `expected` by `desired`, sequentially consistent; answers whether it did, and what was there.
  @inlinable @inline(__always)
  public func atomicCompareExchange<T: GuestWord>(_ offset: UInt64, expected: T, desired: T)
    -> (exchanged: Bool, original: T)
  {
    region.atomicCompareExchange(offset, expected: expected, desired: desired)
  }

  /// Copies `count` bytes out.
  public func bytes(at offset: UInt64, count: Int) -> [UInt8] { region.bytes(at: offset, count: count) }

  /// Copies `bytes` in.
  public func copy(_ bytes: [UInt8], to offset: UInt64) { region.copy(bytes, to: offset) }
}
