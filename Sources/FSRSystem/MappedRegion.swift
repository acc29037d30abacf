internal import CFSRLinux

/// Memory mapped into this process, unmapped when its owner goes.
///
/// All access is by value and checked against the length, because a running vCPU or another process may
/// write the same bytes at any moment: no reference, slice or buffer over them ever leaves this type.
/// Offsets are in bytes from the start of the mapping. An access outside traps, since whoever calls has
/// checked what a guest or a peer asked for; the `contains` test is there for that.
///
/// Several threads may use one region at once. Plain loads and stores race as a machine's do; `atomic…`
/// calls order them.
@safe public struct MappedRegion: ~Copyable, @unchecked Sendable {
  // SAFETY: Sendable, because the address never changes and every access is a load or store of a value.
  @usableFromInline let base: UnsafeMutableRawPointer
  /// Bytes in the mapping.
  public let length: UInt64
  /// The place of its guard; nil where it has none.
  private let guardPlace: Int32?

  /// Maps `length` bytes of `descriptor`, shared, from `offset` (a multiple of the page size).
  ///
  /// - Parameter mayShrink: whether somebody else can cut the file short. An access to what is then not there any more
  ///   finds zeros that are this process's alone, instead of ending the process (SIGBUS).
  public init(
    mapping descriptor: borrowing OwnedDescriptor, length: UInt64, offset: UInt64 = 0, writable: Bool = true,
    populate: Bool = false, mayShrink: Bool = false
  ) throws(SystemError) {
    // SAFETY: the descriptor is open for the call.
    unsafe try self.init(
      raw: descriptor.raw, length: length, offset: offset, writable: writable, populate: populate,
      mayShrink: mayShrink)
  }

  /// Maps `length` private bytes of zeros.
  public init(anonymous length: UInt64) throws(SystemError) {
    // SAFETY: no descriptor is needed for memory of no file.
    unsafe try self.init(
      raw: -1, length: length, offset: 0, writable: true, populate: false, mayShrink: false)
  }

  @unsafe private init(
    raw: Int32, length: UInt64, offset: UInt64, writable: Bool, populate: Bool, mayShrink: Bool
  ) throws(SystemError) {
    guard length > 0, length <= UInt64(Int.max) else {
      throw SystemError("mmap", on: "\(length) bytes", errno: 22)
    }
    var address: UnsafeMutableRawPointer? = nil
    // SAFETY: the kernel chooses the address; nothing is mapped over.
    let answer = unsafe cfsr_map(raw, offset, Int(length), writable ? 1 : 0, populate ? 1 : 0, &address)
    try check(answer, "mmap", on: "\(length) bytes")
    if mayShrink {
      // SAFETY: the whole mapping, which stays until `deinit`.
      let place = unsafe cfsr_guard(address!, Int(length))
      // One too many goes without.
      guardPlace = place < 0 ? nil : place
    } else {
      guardPlace = nil
    }
    unsafe base = address!
    self.length = length
  }

  deinit {
    // First: somebody else may be mapped there the moment after.
    if let guardPlace { cfsr_unguard(guardPlace) }
    // SAFETY: the whole mapping, and nobody has it any more.
    _ = unsafe cfsr_unmap(base, Int(length))
  }

  /// Whether `count` bytes from `offset` lie inside.
  @inlinable @inline(__always)
  public func contains(_ offset: UInt64, count: UInt64) -> Bool {
    count <= length && offset <= length &- count
  }

  @inlinable @inline(__always)
  func address<T>(_ offset: UInt64, of type: T.Type) -> UnsafeMutableRawPointer {
    precondition(contains(offset, count: UInt64(MemoryLayout<T>.size)), "outside the mapping")
    return unsafe base + Int(truncatingIfNeeded: offset)
  }

  // MARK: plain access, any alignment

  /// The value at `offset`, in the host's byte order.
  @inlinable @inline(__always)
  public func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: UInt64, as type: T.Type = T.self) -> T {
    // SAFETY: checked against the length by `address`; an integer has no invalid bit pattern.
    unsafe address(offset, of: type).loadUnaligned(as: type)
  }

  /// Puts `value` at `offset`, in the host's byte order.
  @inlinable @inline(__always)
  public func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: UInt64) {
    // SAFETY: checked against the length by `address`.
    unsafe address(offset, of: T.self).storeBytes(of: value, as: T.self)
  }

  /// Copies `count` bytes out.
  public func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    precondition(count >= 0 && contains(offset, count: UInt64(count)), "outside the mapping")
    // SAFETY: the range was checked; the target is as long as `count`.
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { target, written in
      if count > 0 {
        unsafe target.baseAddress!.update(
          from: (base + Int(offset)).assumingMemoryBound(to: UInt8.self), count: count)
      }
      written = count
    }
  }

  /// Copies `bytes` in.
  public func copy(_ bytes: [UInt8], to offset: UInt64) {
    precondition(contains(offset, count: UInt64(bytes.count)), "outside the mapping")
    unsafe bytes.withUnsafeBytes { source in
      // SAFETY: the range was checked; the two do not overlap, as one is an array of ours.
      if source.count > 0 {
        unsafe (base + Int(offset)).copyMemory(from: source.baseAddress!, byteCount: source.count)
      }
    }
  }

  // MARK: atomic access, aligned to the value's size

  @inlinable @inline(__always)
  func aligned<T: AtomicWord>(_ offset: UInt64, of type: T.Type) -> UnsafeMutableRawPointer {
    precondition(offset % UInt64(MemoryLayout<T>.size) == 0, "an atomic access is aligned")
    // SAFETY: the mapping starts on a page, so an aligned offset is an aligned address.
    return unsafe address(offset, of: type)
  }

  /// A load that other threads' stores cannot tear; not ordered with other addresses.
  @inlinable @inline(__always)
  public func atomicLoadRelaxed<T: AtomicWord>(_ offset: UInt64, as type: T.Type = T.self) -> T {
    // SAFETY: see `aligned`.
    unsafe T.loadRelaxed(aligned(offset, of: type))
  }

  /// A store that other threads' loads cannot see torn; not ordered with other addresses.
  @inlinable @inline(__always)
  public func atomicStoreRelaxed<T: AtomicWord>(_ value: T, at offset: UInt64) {
    // SAFETY: see `aligned`.
    unsafe T.storeRelaxed(value, aligned(offset, of: T.self))
  }

  /// An acquire load: sees everything that was written before the release store it reads from.
  @inlinable @inline(__always)
  public func atomicLoad<T: AtomicWord>(_ offset: UInt64, as type: T.Type = T.self) -> T {
    // SAFETY: see `aligned`.
    unsafe T.loadAcquiring(aligned(offset, of: type))
  }

  /// A release store: everything written before is seen by who loads it.
  @inlinable @inline(__always)
  public func atomicStore<T: AtomicWord>(_ value: T, at offset: UInt64) {
    // SAFETY: see `aligned`.
    unsafe T.storeReleasing(value, aligned(offset, of: T.self))
  }

  /// Replaces `expected` by `desired`, sequentially consistent; answers whether it did, and what was there.
  @inlinable @inline(__always)
  public func atomicCompareExchange<T: AtomicWord>(_ offset: UInt64, expected: T, desired: T)
    -> (exchanged: Bool, original: T)
  {
    // SAFETY: see `aligned`.
    unsafe T.compareExchange(aligned(offset, of: T.self), expected, desired)
  }

  // MARK: futex

  /// Sleeps while the 32-bit word at `offset` is `expected`; wakes by `wake`, by `timeout` nanoseconds, or for
  /// no reason (futex(2)): the caller looks again.
  public func wait(at offset: UInt64, while expected: UInt32, timeout: UInt64? = nil) {
    // SAFETY: checked and aligned by `aligned`.
    let word = unsafe UnsafePointer(aligned(offset, of: UInt32.self).assumingMemoryBound(to: UInt32.self))
    _ = unsafe cfsr_futex_wait(word, expected, timeout ?? 0, timeout == nil ? 0 : 1)
  }

  /// Wakes up to `count` sleepers on the word at `offset`, in every process; answers how many.
  @discardableResult
  public func wake(at offset: UInt64, count: Int32 = .max) -> Int {
    // SAFETY: checked and aligned by `aligned`.
    let word = unsafe UnsafePointer(aligned(offset, of: UInt32.self).assumingMemoryBound(to: UInt32.self))
    return Int(unsafe cfsr_futex_wake(word, count))
  }

  // MARK: the kernel's view

  /// Maps `count` bytes from `offset` ahead, readable, without changing them (MADV_POPULATE_READ). Only for
  /// ranges that were never registered with userfaultfd: there it hangs.
  public func populate(_ offset: UInt64, count: UInt64) throws(SystemError) {
    precondition(contains(offset, count: count), "outside the mapping")
    // SAFETY: the range was checked.
    try check(
      unsafe cfsr_advise(base + Int(offset), Int(count), CFSR_POPULATE_READ), "madvise", on: "POPULATE_READ")
  }

  /// Takes `count` bytes from `offset`, whole pages, out of this process's page tables (MADV_DONTNEED). In a
  /// shared mapping nothing is lost: the next access maps them again. A private one is zeros afterwards.
  public func unmapPages(_ offset: UInt64, count: UInt64) throws(SystemError) {
    precondition(contains(offset, count: count), "outside the mapping")
    // SAFETY: the range was checked.
    try check(unsafe cfsr_advise(base + Int(offset), Int(count), CFSR_DONTNEED), "madvise", on: "DONTNEED")
  }

  /// Keeps the mapping out of core dumps.
  public func excludeFromCoreDumps() throws(SystemError) {
    // SAFETY: the whole mapping.
    try check(unsafe cfsr_advise(base, Int(length), CFSR_DONTDUMP), "madvise", on: "DONTDUMP")
  }

  /// Locks `count` bytes from `offset`, whole pages, in memory (mlock(2)): they are there when it returns, and stay.
  public func lock(_ offset: UInt64, count: UInt64) throws(SystemError) {
    precondition(contains(offset, count: count), "outside the mapping")
    // SAFETY: the range was checked.
    try check(unsafe cfsr_lock_memory(base + Int(offset), Int(count)), "mlock", on: "\(count) bytes")
  }

  /// Takes such a lock back (munlock(2)); nothing happens where there is none.
  public func unlock(_ offset: UInt64, count: UInt64) throws(SystemError) {
    precondition(contains(offset, count: count), "outside the mapping")
    // SAFETY: the range was checked.
    try check(unsafe cfsr_unlock_memory(base + Int(offset), Int(count)), "munlock", on: "\(count) bytes")
  }

  /// Locks the mapping in memory (mlock(2)).
  public func lock() throws(SystemError) {
    // SAFETY: the whole mapping.
    try check(unsafe cfsr_lock_memory(base, Int(length)), "mlock", on: "\(length) bytes")
  }
}
