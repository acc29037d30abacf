public import FSRSystem
internal import Synchronization

/// Which slots of a swap file are in use, in shared memory: the memfd goes to the next owner as a descriptor, and
/// nothing is copied.
///
/// A slot is a page. `count` slots are there; more come as the file grows, up to `limit`, for which the memfd has
/// room from the start without taking memory for it. One process at a time writes, on any of its threads; others
/// may read meanwhile, and see each change whole.
///
/// The memfd begins with a page of header: the words of `Header`. Then comes a bit for each slot, in words of 64
/// bits, set where it is in use.
public final class SlotBitmap: Sendable {
  /// Slots that a bitmap may have.
  public static let slotLimit: UInt64 = 1 << 32

  enum Header {
    /// "FSRSLOTS", read as a little-endian word.
    static let magic: UInt64 = 0x5354_4f4c_5352_5346
    static let version: UInt64 = 1
    static let size: UInt64 = 4096
    // Offsets of words.
    static let magicWord: UInt64 = 0
    static let versionWord: UInt64 = 8
    static let limitWord: UInt64 = 16
    static let countWord: UInt64 = 24
    static let usedWord: UInt64 = 32
    static let hintWord: UInt64 = 40
  }

  /// The memfd, for handing over.
  public let descriptor: OwnedDescriptor
  /// Slots that there may ever be.
  public let limit: UInt64
  let region: MappedRegion
  let writer = Mutex(())

  /// Makes an empty bitmap without any slot yet, for 1 to `slotLimit` of them.
  public init(limit: UInt64) throws(SwapError) {
    precondition((1...Self.slotLimit).contains(limit), "1 to \(Self.slotLimit) slots")
    let size = Self.size(limit: limit)
    do throws(SystemError) {
      descriptor = try Memfd.create(name: "fsr-swap-slots", size: size)
      region = try MappedRegion(mapping: descriptor, length: size)
    } catch { throw .system(error) }
    self.limit = limit
    region.atomicStoreRelaxed(limit, at: Header.limitWord)
    region.atomicStoreRelaxed(Header.version, at: Header.versionWord)
    region.atomicStore(Header.magic, at: Header.magicWord)
  }

  /// Maps a bitmap that a peer handed over, and checks what takes no time; `recount` checks the rest.
  ///
  /// - Throws: `SwapError.bitmap`.
  public init(adopting descriptor: consuming OwnedDescriptor) throws(SwapError) {
    guard Memfd.isSizeSealed(descriptor) else { throw .bitmap("its size may still change") }
    do throws(SystemError) {
      let size = try descriptor.size()
      guard size >= Header.size, size <= Self.size(limit: Self.slotLimit) else {
        throw SystemError("fstat", on: "a bitmap of \(size) bytes", errno: 22)
      }
      region = try MappedRegion(mapping: descriptor, length: size)
    } catch { throw .bitmap("\(error)") }
    limit = region.atomicLoad(Header.limitWord, as: UInt64.self)
    self.descriptor = descriptor
    try check()
  }

  /// Bytes of the memfd of a bitmap for `limit` slots, whole pages.
  private static func size(limit: UInt64) -> UInt64 { Header.size + (limit + 32767) / 32768 * 4096 }

  /// Checks the header against the memory; to be asked again when a peer has written in between.
  ///
  /// - Throws: `SwapError.bitmap`.
  public func check() throws(SwapError) {
    guard word(Header.magicWord) == Header.magic else { throw .bitmap("it does not begin as one") }
    guard word(Header.versionWord) == Header.version else {
      throw .bitmap("version \(word(Header.versionWord)), \(Header.version) is read here")
    }
    guard limit == word(Header.limitWord), (1...Self.slotLimit).contains(limit),
      Self.size(limit: limit) == region.length
    else { throw .bitmap("room for \(word(Header.limitWord)) slots in \(region.length) bytes") }
    let count = word(Header.countWord)
    guard count <= limit else { throw .bitmap("\(count) slots where \(limit) are the most") }
    guard word(Header.usedWord) <= count else {
      throw .bitmap("\(word(Header.usedWord)) of \(count) slots in use")
    }
  }

  /// Counts the slots in use one by one, for a bitmap that a peer wrote; nobody writes meanwhile. Takes a while: not in
  /// the stun.
  ///
  /// - Throws: `SwapError.bitmap` where the sum is another, or a slot is in use that is not there.
  public func recount() throws(SwapError) {
    try check()
    let words = (limit + 63) / 64
    var sum: UInt64 = 0
    for index in 0..<words { sum += UInt64(bits(index).nonzeroBitCount) }
    guard sum == usedCount else { throw .bitmap("\(usedCount) slots in use, of which \(sum) are marked") }
    if let stray = next(used: true, from: count, below: limit) {
      throw .bitmap("slot \(stray) in use where \(count) are there")
    }
  }

  // MARK: reading

  /// Slots that are there.
  public var count: UInt64 { min(word(Header.countWord), limit) }
  /// Those of them that are in use.
  public var usedCount: UInt64 { min(word(Header.usedWord), count) }
  /// Those of them that are not.
  public var freeCount: UInt64 {
    let all = count
    return all - min(word(Header.usedWord), all)
  }

  /// Whether `slot` is in use; false of one that is not there.
  public func isUsed(_ slot: UInt64) -> Bool { slot < count && bits(slot / 64) >> (slot % 64) & 1 == 1 }

  /// The slots in use in `range`, as runs that do not touch, in their order. Slots that change meanwhile are seen
  /// before or after the change.
  public func runs(in range: Range<UInt64>) -> SlotRuns { SlotRuns(of: self, used: true, range) }

  /// The free slots in `range`, in the same manner.
  public func freeRuns(in range: Range<UInt64>) -> SlotRuns { SlotRuns(of: self, used: false, range) }

  /// The first slot from `start` on, below `end`, that is in use, or is not.
  func next(used: Bool, from start: UInt64, below end: UInt64) -> UInt64? {
    guard start < end else { return nil }
    var index = start / 64
    var wanted = (used ? bits(index) : ~bits(index)) & (~0 << (start % 64))
    while wanted == 0 {
      index += 1
      guard index * 64 < end else { return nil }
      wanted = used ? bits(index) : ~bits(index)
    }
    let slot = index * 64 + UInt64(wanted.trailingZeroBitCount)
    return slot < end ? slot : nil
  }

  func word(_ offset: UInt64) -> UInt64 { region.atomicLoadRelaxed(offset) }

  /// The bits of the slots from `64 * index` on.
  func bits(_ index: UInt64) -> UInt64 { region.atomicLoadRelaxed(Header.size + index * 8) }
}

/// Runs of slots, found one after the other.
public struct SlotRuns: Sequence, IteratorProtocol {
  private let bitmap: SlotBitmap
  private let used: Bool
  private var rest: Range<UInt64>

  init(of bitmap: SlotBitmap, used: Bool, _ range: Range<UInt64>) {
    self.bitmap = bitmap
    self.used = used
    let count = bitmap.count
    rest = Swift.min(range.lowerBound, count)..<Swift.min(range.upperBound, count)
  }

  public mutating func next() -> Range<UInt64>? {
    guard let start = bitmap.next(used: used, from: rest.lowerBound, below: rest.upperBound) else {
      return nil
    }
    let end = bitmap.next(used: !used, from: start, below: rest.upperBound) ?? rest.upperBound
    rest = end..<rest.upperBound
    return start..<end
  }
}
