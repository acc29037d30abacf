import FSRMemory
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// A page table and a compression cache, as they lay in shared memory once.
@Suite struct PagingFixtureTests {
  private static let range: Range<UInt64> = (1 << 20)..<(1 << 20 + 600 * 4096)

  /// A page in each state, in both directories.
  private static let states: [UInt64: PageState] = [
    0: .resident, 1: .compressed(0x00ab_cdef_0123_4560), 2: .swapped(0x89ab_cdef), 511: .swapped(0),
    512: .resident, 599: .compressed(16),
  ]

  private static func contents(_ descriptor: borrowing OwnedDescriptor, _ count: UInt64? = nil) throws
    -> [UInt8]
  {
    try descriptor.read(at: 0, count: Int(try count ?? descriptor.size()))
  }

  private static func memory(_ bytes: [UInt8]) throws -> OwnedDescriptor {
    let memory = try Memfd.create(name: "fixture", size: UInt64(bytes.count))
    try memory.write(bytes, at: 0)
    return memory
  }

  @Test func aPageTableIsWrittenAsEver() throws {
    let table = try PageTable(range: Self.range)
    // One that comes and goes: its directory's counter has moved.
    table.set(3, .resident)
    for page in Self.states.keys.sorted() { table.set(page, Self.states[page] ?? .absent) }
    table.set(3, .absent)
    #expect(try Fixture("page-table.hex").difference(from: Self.contents(table.descriptor)) == nil)
  }

  @Test func aPageTableIsReadForGood() throws {
    let table = try PageTable(
      adopting: Self.memory(try Fixture("page-table.hex").bytes()), range: Self.range)
    for page in 0..<table.pageCount {
      #expect(table.state(of: page) == Self.states[page] ?? .absent)
    }
    #expect(table.counts.resident == 2 && table.counts.compressed == 2 && table.counts.swapped == 2)
    #expect(table.nextResident(from: 1) == 512 && !table.isFrozen)
    let first = try table.directory(0)
    #expect(first?.counts.swapped == 2 && first?.pages.count == 512)
    var survey = try PageTableSurvey(of: table)
    try survey.checkAll(at: BoundedPlaces(slots: .max, ring: .max))
    let looked = try survey.look(at: BoundedPlaces?.none)
    #expect(looked.seen == 2 && looked.left == 0)
    try survey.agree()
  }

  /// The two words that a pager leaves which changes nothing any more.
  @Test func aFrozenPageTableIsReadForGood() throws {
    var bytes = try Fixture("page-table.hex").bytes()
    bytes[56] = 1
    bytes[60] = 1
    #expect(try Fixture("page-table-frozen.hex").difference(from: bytes) == nil)
    let table = try PageTable(
      adopting: Self.memory(try Fixture("page-table-frozen.hex").bytes()), range: Self.range)
    #expect(table.isFrozen)
  }

  // MARK: the cache

  private static func fill(_ region: borrowing MappedRegion, _ byte: UInt8) {
    region.copy([1, 2, 3] + [UInt8](repeating: byte, count: 4093), to: 0)
  }

  @Test func aCachesHeaderAndEntriesAreWrittenAsEver() throws {
    var cache = try CompressionCache(capacity: CompressionCache.leastCapacity)
    let header = try Self.contents(cache.descriptor, 4096)
    #expect(try Fixture("cache-header.hex").difference(from: header) == nil)
    let page = try MappedRegion(anonymous: 4096)
    Self.fill(page, 7)
    let first = cache.append(page: 0x1234, from: page, at: 0)
    #expect(first == .kept(0))
    let entry = try cache.descriptor.read(at: 4096, count: 16)
    var reader = ByteReader(entry)
    let number: UInt64 = try reader.read()
    let length: UInt32 = try reader.read()
    let isLive: UInt32 = try reader.read()
    // How short a page becomes is the compressor's affair.
    #expect(number == 0x1234 && (1...2048).contains(length) && isLive == 1)
    let head = cache.head
    #expect(head == (16 + UInt64(length) + 15) / 16 * 16)
    var moved = ByteReader(try cache.descriptor.read(at: 16, count: 16))
    #expect(try moved.read(UInt64.self) == head)
    #expect(try moved.read(UInt64.self) == 0)
    cache.free(0, page: 0x1234)
    let tail = try cache.descriptor.read(at: 24, count: 8)
    #expect(tail == (0..<8).map { UInt8(truncatingIfNeeded: head >> ($0 * 8)) })
  }

  /// Three pages, of which the first was given back.
  private static func filledCache(by pages: borrowing MappedRegion) throws -> [UInt8] {
    var cache = try CompressionCache(capacity: CompressionCache.leastCapacity)
    for number in UInt64(5)...7 {
      fill(pages, UInt8(truncatingIfNeeded: 14 - number))
      _ = cache.append(page: number, from: pages, at: 0)
    }
    cache.free(0, page: 5)
    return try contents(cache.descriptor)
  }

  /// Written once by one version of the compressor; another may write otherwise, and reads it all the same.
  @Test func aCacheIsReadForGood() throws {
    let pages = try MappedRegion(anonymous: 8192)
    let fixture = Fixture("cache.hex")
    try fixture.addIfMissing { try Self.filledCache(by: pages) }
    var cache = try CompressionCache(adopting: Self.memory(try fixture.bytes()))
    var found: [UInt64] = []
    while let next = try cache.nextToDrain() {
      found.append(next.page)
      try cache.expand(next.position, page: next.page, into: pages, at: 4096)
      Self.fill(pages, UInt8(truncatingIfNeeded: 14 - next.page))
      #expect(pages.bytes(at: 4096, count: 4096) == pages.bytes(at: 0, count: 4096))
    }
    #expect(found == [6, 7])
  }
}
