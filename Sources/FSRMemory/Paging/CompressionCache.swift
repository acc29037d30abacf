public import FSRSystem

/// Evicted pages, kept compressed in a ring in a memfd that a handoff's two sides map.
///
/// Entries are appended at the head; the oldest, at the tail, go on to the page store. A freed entry stays until the tail
/// passes it. A position counts the bytes that ever went in, so that an old one is never mistaken for a new one. One thread
/// changes it: the owner's pager. A peer may have written anything, so each entry is checked as it is used.
public struct CompressionCache: ~Copyable, Sendable {
  /// The memfd, for handing over.
  public let descriptor: OwnedDescriptor
  let region: MappedRegion
  /// Bytes of the ring.
  public let capacity: UInt64
  private var compressor = Compressor()
  /// Where `nextToDrain` goes on.
  private var drained: UInt64

  // The header.
  private static let magicAt: UInt64 = 0
  private static let versionAt: UInt64 = 8
  private static let headAt: UInt64 = 16
  private static let tailAt: UInt64 = 24
  /// "FSRCACHE", as it lies in memory.
  private static let magic: UInt64 = 0x4548_4341_4352_5346
  private static let version: UInt32 = 1
  /// The ring's first byte in the memfd.
  static let ring: UInt64 = 4096

  /// Bytes that a compressed page may take; one that takes more is not kept.
  public static let lengthLimit: UInt64 = 2048
  /// The smallest ring.
  public static let leastCapacity: UInt64 = 65536
  /// 1 TiB.
  public static let capacityLimit: UInt64 = 1 << 40

  /// Makes an empty one of `capacity` bytes, whole pages.
  ///
  /// - Throws: `PagingError.badRange` for a capacity out of bounds, or what the kernel says.
  public init(capacity: UInt64) throws {
    guard capacity % 4096 == 0, capacity >= Self.leastCapacity, capacity <= Self.capacityLimit else {
      throw PagingError.badRange
    }
    let memfd = try Memfd.create(name: "fsr-cache", size: Self.ring + capacity)
    let mapped = try MappedRegion(mapping: memfd, length: Self.ring + capacity)
    mapped.atomicStoreRelaxed(Self.version, at: Self.versionAt)
    mapped.atomicStore(Self.magic, at: Self.magicAt)
    descriptor = memfd
    region = mapped
    self.capacity = capacity
    drained = 0
  }

  /// Maps a peer's ring. Entries are checked as they are used.
  ///
  /// - Throws: `PagingError`, or what the kernel says.
  public init(adopting descriptor: consuming OwnedDescriptor) throws {
    let size = try descriptor.size()
    guard Memfd.isSizeSealed(descriptor), size % 4096 == 0, size >= Self.ring + Self.leastCapacity,
      size <= Self.ring + Self.capacityLimit
    else { throw PagingError.wrongSize }
    let mapped = try MappedRegion(mapping: descriptor, length: size)
    guard mapped.atomicLoad(Self.magicAt) == Self.magic,
      mapped.atomicLoadRelaxed(Self.versionAt) == Self.version
    else { throw PagingError.notPageTable }
    try Self.check(mapped, capacity: size - Self.ring)
    self.descriptor = descriptor
    capacity = size - Self.ring
    drained = mapped.atomicLoad(Self.tailAt)
    region = mapped
  }

  /// Whether head and tail can be those of this ring.
  ///
  /// - Throws: `PagingError.badCache`.
  public func checkBounds() throws(PagingError) { try Self.check(region, capacity: capacity) }

  private static func check(_ region: borrowing MappedRegion, capacity: UInt64) throws(PagingError) {
    let head: UInt64 = region.atomicLoad(headAt)
    let tail: UInt64 = region.atomicLoad(tailAt)
    guard tail <= head, head - tail <= capacity, head % Entry.alignment == 0, tail % Entry.alignment == 0,
      head < PageState.positionLimit
    else { throw .badCache(tail) }
  }

  /// The position behind the newest entry.
  public var head: UInt64 { region.atomicLoad(Self.headAt) }
  /// The position of the oldest.
  public var tail: UInt64 { region.atomicLoad(Self.tailAt) }
  /// Bytes in use, freed entries that the tail has not passed included.
  public var used: UInt64 { head &- tail }

  /// An entry's first 16 bytes.
  struct Entry: Equatable {
    static let alignment: UInt64 = 16
    static let header: UInt64 = 16
    /// The page of a stretch that holds nothing, up to the ring's end.
    static let filler = UInt64.max

    var page: UInt64
    var length: UInt32
    var isLive: Bool

    /// Bytes to the next entry.
    var stride: UInt64 { (Self.header + UInt64(length) + Self.alignment - 1) & ~(Self.alignment - 1) }
  }

  func place(_ position: UInt64) -> UInt64 { Self.ring + position % capacity }

  private func write(_ entry: Entry, at position: UInt64) {
    let place = place(position)
    region.store(entry.page, at: place)
    region.store(entry.length, at: place + 8)
    region.store(UInt32(entry.isLive ? 1 : 0), at: place + 12)
  }

  /// The entry at `position`.
  ///
  /// - Throws: `PagingError.badCache` where none can be.
  func entry(at position: UInt64) throws(PagingError) -> Entry {
    let head = head
    guard position % Entry.alignment == 0, position >= tail, position < head else {
      throw .badCache(position)
    }
    let place = place(position)
    let length: UInt32 = region.load(place + 8)
    let flag: UInt32 = region.load(place + 12)
    let entry = Entry(page: region.load(place), length: length, isLive: flag == 1)
    let room = Self.ring + capacity - place
    let isFiller = entry.page == Entry.filler
    guard flag <= 1, entry.stride <= room, entry.stride <= head - position,
      isFiller ? entry.stride == room && flag == 0 : length > 0 && length <= Self.lengthLimit
    else { throw .badCache(position) }
    return entry
  }
}

extension CompressionCache {
  /// What became of a page that was offered.
  public enum Outcome: Equatable, Sendable {
    case kept(UInt64)
    /// It does not shrink to half.
    case incompressible
    /// There is no room now.
    case full
  }

  /// Compresses the page at `offset` of `source`, which nobody changes meanwhile, and keeps it if that halves it.
  public mutating func append(page: UInt64, from source: borrowing MappedRegion, at offset: UInt64) -> Outcome
  {
    let most = Entry.header + Self.lengthLimit
    var position = head
    guard position % Entry.alignment == 0, position < PageState.positionLimit else { return .full }
    let toEnd = capacity - position % capacity
    let filler = toEnd < most ? toEnd : 0
    guard used <= capacity, capacity - used >= filler + most else { return .full }
    position += filler
    let length = compressor.compress(
      source, at: offset, count: 4096, to: region, at: place(position) + Entry.header,
      room: Int(Self.lengthLimit))
    guard let length else { return .incompressible }
    if filler > 0 {
      write(
        Entry(page: Entry.filler, length: UInt32(filler - Entry.header), isLive: false), at: position - filler
      )
    }
    let entry = Entry(page: page, length: UInt32(length), isLive: true)
    write(entry, at: position)
    region.atomicStore(position + entry.stride, at: Self.headAt)
    return .kept(position)
  }

  /// Expands the entry of `page` at `position` into `target`, a page from `offset`.
  ///
  /// - Throws: `PagingError.badCache` where the ring does not hold it, or holds something else.
  public mutating func expand(
    _ position: UInt64, page: UInt64, into target: borrowing MappedRegion, at offset: UInt64
  ) throws(PagingError) {
    let entry = try entry(at: position)
    guard entry.isLive, entry.page == page,
      compressor.expand(
        region, at: place(position) + Entry.header, length: Int(entry.length), to: target, at: offset,
        count: 4096)
    else { throw .badCache(position) }
  }

  /// Whether the entry of `page` is at `position`.
  public func holds(_ position: UInt64, page: UInt64) -> Bool {
    guard let entry = try? entry(at: position) else { return false }
    return entry.isLive && entry.page == page
  }

  /// Gives the entry of `page` at `position` back; nothing happens where there is none.
  public mutating func free(_ position: UInt64, page: UInt64) {
    guard holds(position, page: page) else { return }
    region.store(UInt32(0), at: place(position) + 12)
    var tail = tail
    while tail < head, let oldest = try? entry(at: tail), !oldest.isLive { tail += oldest.stride }
    region.atomicStore(tail, at: Self.tailAt)
    drained = max(drained, tail)
  }

  /// The oldest entry that this has not answered with yet; nil where there is none.
  ///
  /// - Throws: `PagingError.badCache`: nothing behind that position can be found any more, except by the page table.
  public mutating func nextToDrain() throws(PagingError) -> (page: UInt64, position: UInt64)? {
    // One that was adopted while its peer went on may have been passed.
    drained = max(drained, tail)
    while drained < head {
      let position = drained
      let next = try entry(at: position)
      drained += next.stride
      if next.isLive { return (next.page, position) }
    }
    return nil
  }

  /// Answers with all that are left again, from the oldest on.
  public mutating func drainAgain() { drained = tail }
}
