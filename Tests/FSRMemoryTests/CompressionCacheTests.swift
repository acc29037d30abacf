import FSRMemory
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct CompressionCacheTests {
  /// A page that shrinks to `distinct` bytes and a little.
  private static func page(_ seed: UInt64, distinct: Int) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    let head = (0..<distinct).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    return head + [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 4096 - distinct)
  }

  @Test func pagesComeBackThroughManyTurnsOfTheRing() throws {
    var cache = try CompressionCache(capacity: CompressionCache.leastCapacity)
    let buffer = try MappedRegion(anonymous: 8192)
    var random = SeededGenerator(seed: 7)
    var held: [(page: UInt64, position: UInt64)] = []
    var kept = 0
    var drained = 0
    for step in UInt64(0)..<20_000 {
      let bytes = Self.page(step, distinct: .random(in: 1...1800, using: &random))
      buffer.copy(bytes, to: 0)
      switch cache.append(page: step, from: buffer, at: 0) {
      case .kept(let position):
        kept += 1
        held.append((step, position))
      case .incompressible: Issue.record("a page that shrinks")
      case .full:
        // The oldest goes, as the pager takes it.
        let next = try cache.nextToDrain()
        let oldest = try #require(next)
        #expect(oldest.page == held[0].page && oldest.position == held[0].position)
        cache.free(oldest.position, page: oldest.page)
        held.removeFirst()
        drained += 1
      }
      if held.count > 5, Bool.random(using: &random) {
        let index = Int.random(in: 0..<held.count, using: &random)
        let one = held.remove(at: index)
        try cache.expand(one.position, page: one.page, into: buffer, at: 4096)
        let tag = buffer.load(8191, as: UInt8.self)
        #expect(tag == UInt8(truncatingIfNeeded: one.page))
        cache.free(one.position, page: one.page)
        let isGone = !cache.holds(one.position, page: one.page)
        #expect(isGone)
      }
      let used = cache.used
      #expect(used <= CompressionCache.leastCapacity)
    }
    #expect(kept > 5000 && drained > 100)
    for one in held { cache.free(one.position, page: one.page) }
    let used = cache.used
    #expect(used == 0)
  }

  @Test func aPeerSeesTheSameEntries() throws {
    var cache = try CompressionCache(capacity: 1 << 20)
    let buffer = try MappedRegion(anonymous: 8192)
    buffer.copy(Self.page(1, distinct: 100), to: 0)
    let outcome = cache.append(page: 77, from: buffer, at: 0)
    guard case .kept(let position) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    var twin = try CompressionCache(adopting: try cache.descriptor.duplicate())
    try twin.expand(position, page: 77, into: buffer, at: 4096)
    let isSame = buffer.bytes(at: 0, count: 4096) == buffer.bytes(at: 4096, count: 4096)
    #expect(isSame)
    let next = try twin.nextToDrain()
    #expect(next?.page == 77)
    let holdsOther = twin.holds(position, page: 78)
    #expect(!holdsOther)
    // Nor does another page get what is there.
    #expect(throws: PagingError.badCache(position)) {
      try twin.expand(position, page: 78, into: buffer, at: 4096)
    }
  }

  /// Appends `page`; answers where it is.
  private static func keep(_ page: UInt64, in cache: inout CompressionCache, _ buffer: borrowing MappedRegion)
    throws -> UInt64
  {
    buffer.copy(Self.page(page, distinct: 300), to: 0)
    guard case .kept(let position) = cache.append(page: page, from: buffer, at: 0) else { throw Absent() }
    return position
  }

  /// A destination adopts the ring while its source still appends, frees and drains.
  @Test func onePeerGoesOnWhereTheOtherHasComeTo() throws {
    var random = SeededGenerator(seed: 5)
    let buffer = try MappedRegion(anonymous: 4096)
    for round in 0..<50 {
      var cache = try CompressionCache(capacity: CompressionCache.leastCapacity)
      var held: [(page: UInt64, position: UInt64)] = []
      let count = UInt64.random(in: 1...20, using: &random)
      for page in 0..<count { held.append((page, try Self.keep(page, in: &cache, buffer))) }
      var twin = try CompressionCache(adopting: try cache.descriptor.duplicate())
      for _ in 0..<Int.random(in: 0..<2, using: &random) { _ = try twin.nextToDrain() }
      for page in 100..<UInt64(105) { held.append((page, try Self.keep(page, in: &cache, buffer))) }
      for _ in 0..<Int.random(in: 2..<held.count, using: &random) {
        let one = held.removeFirst()
        cache.free(one.position, page: one.page)
      }
      for one in held {
        let next = try twin.nextToDrain()
        #expect(next?.page == one.page && next?.position == one.position, "round \(round)")
      }
      let isOver = try twin.nextToDrain() == nil
      #expect(isOver)
    }
  }

  @Test func whatDoesNotShrinkToHalfIsNotKept() throws {
    var cache = try CompressionCache(capacity: 1 << 20)
    let buffer = try MappedRegion(anonymous: 4096)
    buffer.copy(Self.page(1, distinct: 2100), to: 0)
    let outcome = cache.append(page: 1, from: buffer, at: 0)
    #expect(outcome == .incompressible)
    let used = cache.used
    #expect(used == 0)
  }

  @Test func aRingOfALiarThrowsAndNeverTraps() throws {
    var random = SeededGenerator(seed: 11)
    let buffer = try MappedRegion(anonymous: 8192)
    for _ in 0..<300 {
      var cache = try CompressionCache(capacity: CompressionCache.leastCapacity)
      var positions: [UInt64] = []
      for page in UInt64(0)..<60 {
        buffer.copy(Self.page(page, distinct: 1000), to: 0)
        if case .kept(let position) = cache.append(page: page, from: buffer, at: 0) {
          positions.append(position)
        }
      }
      let file = try cache.descriptor.duplicate()
      for _ in 0..<20 {
        // Headers of the file and of entries, mostly.
        let entry = 4096 + (positions.randomElement(using: &random) ?? 0)
        let place =
          Bool.random(using: &random)
          ? .random(in: 16..<32, using: &random) : entry + .random(in: 0..<24, using: &random)
        try file.write([UInt8.random(in: .min ... .max, using: &random)], at: place)
      }
      guard var twin = try? CompressionCache(adopting: try cache.descriptor.duplicate()) else { continue }
      for (page, position) in positions.enumerated() {
        try? twin.expand(position, page: UInt64(page), into: buffer, at: 4096)
      }
      while let next = try? twin.nextToDrain() { _ = twin.holds(next.position, page: next.page) }
      twin.drainAgain()
      for (page, position) in positions.enumerated() {
        twin.free(position, page: UInt64(page))
        _ = twin.append(page: 1, from: buffer, at: 0)
      }
    }
  }

  @Test func whatNobodyHasAnyMoreIsNotDrained() throws {
    var cache = try CompressionCache(capacity: CompressionCache.leastCapacity)
    let buffer = try MappedRegion(anonymous: 4096)
    var positions: [UInt64] = []
    for page in UInt64(0)..<4 {
      buffer.copy(Self.page(page, distinct: 100), to: 0)
      guard case .kept(let position) = cache.append(page: page, from: buffer, at: 0) else { throw Absent() }
      positions.append(position)
    }
    // In the middle, so that the tail stays where it is.
    for page in [1, 2] { cache.free(positions[page], page: UInt64(page)) }
    var drained: [UInt64] = []
    while let next = try cache.nextToDrain() { drained.append(next.page) }
    #expect(drained == [0, 3] && cache.tail == 0)
  }

  @Test func boundsThatNoCacheHasAreRefused() throws {
    let capacity: UInt64 = 65536
    let cache = try CompressionCache(capacity: capacity)
    let file = try cache.descriptor.duplicate()
    func isTaken(tail: UInt64, head: UInt64) throws -> Bool {
      for (value, place) in [(head, UInt64(16)), (tail, 24)] {
        try file.write((0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }, at: place)
      }
      do {
        _ = try CompressionCache(adopting: try cache.descriptor.duplicate())
        return true
      } catch is PagingError { return false }
    }
    #expect(try isTaken(tail: 0, head: capacity) && isTaken(tail: 32, head: capacity + 32))
    #expect(try !isTaken(tail: 0, head: capacity + 16) && !isTaken(tail: 32, head: 16))
    #expect(try !isTaken(tail: 0, head: 8) && !isTaken(tail: 8, head: 16))
  }
}
