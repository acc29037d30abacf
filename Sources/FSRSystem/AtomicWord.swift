public import Synchronization

/// An unsigned integer that the machine loads, stores and exchanges in one piece.
///
/// The requirements take raw addresses and are for `MappedRegion` alone, which checks them.
public protocol AtomicWord: FixedWidthInteger, UnsignedInteger, BitwiseCopyable, Sendable {
  @unsafe static func loadRelaxed(_ address: UnsafeMutableRawPointer) -> Self
  @unsafe static func storeRelaxed(_ value: Self, _ address: UnsafeMutableRawPointer)
  @unsafe static func loadAcquiring(_ address: UnsafeMutableRawPointer) -> Self
  @unsafe static func storeReleasing(_ value: Self, _ address: UnsafeMutableRawPointer)
  @unsafe static func compareExchange(_ address: UnsafeMutableRawPointer, _ expected: Self, _ desired: Self)
    -> (exchanged: Bool, original: Self)
}

// SAFETY, for all four: `Atomic<T>` has the size and the alignment of T, and the caller has checked that the
// address is aligned and mapped for as long as the call takes.

extension UInt8: AtomicWord {
  @inlinable @inline(__always)
  @unsafe static func word(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt8>> {
    unsafe address.assumingMemoryBound(to: Atomic<UInt8>.self)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadRelaxed(_ address: UnsafeMutableRawPointer) -> UInt8 {
    unsafe word(address).pointee.load(ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeRelaxed(_ value: UInt8, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadAcquiring(_ address: UnsafeMutableRawPointer) -> UInt8 {
    unsafe word(address).pointee.load(ordering: .acquiring)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeReleasing(_ value: UInt8, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .releasing)
  }

  @inlinable @inline(__always)
  @unsafe public static func compareExchange(
    _ address: UnsafeMutableRawPointer, _ expected: UInt8, _ desired: UInt8
  ) -> (exchanged: Bool, original: UInt8) {
    unsafe word(address).pointee.compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent)
  }
}

extension UInt16: AtomicWord {
  @inlinable @inline(__always)
  @unsafe static func word(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt16>> {
    unsafe address.assumingMemoryBound(to: Atomic<UInt16>.self)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadRelaxed(_ address: UnsafeMutableRawPointer) -> UInt16 {
    unsafe word(address).pointee.load(ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeRelaxed(_ value: UInt16, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadAcquiring(_ address: UnsafeMutableRawPointer) -> UInt16 {
    unsafe word(address).pointee.load(ordering: .acquiring)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeReleasing(_ value: UInt16, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .releasing)
  }

  @inlinable @inline(__always)
  @unsafe public static func compareExchange(
    _ address: UnsafeMutableRawPointer, _ expected: UInt16, _ desired: UInt16
  ) -> (exchanged: Bool, original: UInt16) {
    unsafe word(address).pointee.compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent)
  }
}

extension UInt32: AtomicWord {
  @inlinable @inline(__always)
  @unsafe static func word(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt32>> {
    unsafe address.assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadRelaxed(_ address: UnsafeMutableRawPointer) -> UInt32 {
    unsafe word(address).pointee.load(ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeRelaxed(_ value: UInt32, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadAcquiring(_ address: UnsafeMutableRawPointer) -> UInt32 {
    unsafe word(address).pointee.load(ordering: .acquiring)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeReleasing(_ value: UInt32, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .releasing)
  }

  @inlinable @inline(__always)
  @unsafe public static func compareExchange(
    _ address: UnsafeMutableRawPointer, _ expected: UInt32, _ desired: UInt32
  ) -> (exchanged: Bool, original: UInt32) {
    unsafe word(address).pointee.compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent)
  }
}

extension UInt64: AtomicWord {
  @inlinable @inline(__always)
  @unsafe static func word(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe address.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadRelaxed(_ address: UnsafeMutableRawPointer) -> UInt64 {
    unsafe word(address).pointee.load(ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeRelaxed(_ value: UInt64, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .relaxed)
  }

  @inlinable @inline(__always)
  @unsafe public static func loadAcquiring(_ address: UnsafeMutableRawPointer) -> UInt64 {
    unsafe word(address).pointee.load(ordering: .acquiring)
  }

  @inlinable @inline(__always)
  @unsafe public static func storeReleasing(_ value: UInt64, _ address: UnsafeMutableRawPointer) {
    unsafe word(address).pointee.store(value, ordering: .releasing)
  }

  @inlinable @inline(__always)
  @unsafe public static func compareExchange(
    _ address: UnsafeMutableRawPointer, _ expected: UInt64, _ desired: UInt64
  ) -> (exchanged: Bool, original: UInt64) {
    unsafe word(address).pointee.compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent)
  }
}
