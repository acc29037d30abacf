import FSRStorage
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct SlotBitmapTests {
  @Test(arguments: [UInt64(1), 2, 3, 4]) func itDoesWhatASetDoes(seed: UInt64) throws {
    var chance = SeededGenerator(seed: seed)
    let limit: UInt64 = 3000
    let bitmap = try SlotBitmap(limit: limit)
    var used: Set<UInt64> = []
    var count: UInt64 = 0
    for round in 0..<20_000 {
      switch Int.random(in: 0..<10, using: &chance) {
      case 0 where count < limit:
        count = min(limit, count + UInt64.random(in: 1...200, using: &chance))
        bitmap.grow(to: count)
      case 1...3:
        let hint = Bool.random(using: &chance) ? UInt64.random(in: 0...limit, using: &chance) : nil
        let wanted = UInt64.random(in: 1...150, using: &chance)
        let run = bitmap.allocateRun(near: hint, upTo: wanted)
        #expect((run == nil) == (UInt64(used.count) == count))
        for slot in run ?? 0..<0 {
          #expect(slot < count && !used.contains(slot))
          used.insert(slot)
        }
        #expect((run?.count ?? 1) <= Int(wanted))
      case 4:
        if let slot = bitmap.allocate() { #expect(used.insert(slot).inserted) }
      case 5...7:
        let slot = UInt64.random(in: 0..<limit, using: &chance)
        #expect(bitmap.free(slot) == (used.remove(slot) != nil))
      default:
        let start = UInt64.random(in: 0..<limit, using: &chance)
        let range = start..<min(limit + 10, start + UInt64.random(in: 0...200, using: &chance))
        let before = used.count
        used.subtract(range)
        #expect(bitmap.free(range) == UInt64(before - used.count))
      }
      #expect(bitmap.usedCount == UInt64(used.count) && bitmap.count == count)
      if round % 500 == 0 { try Self.compare(bitmap, used, &chance) }
    }
    try Self.compare(bitmap, used, &chance)
  }

  private static func compare(_ bitmap: SlotBitmap, _ used: Set<UInt64>, _ chance: inout SeededGenerator)
    throws
  {
    let start = UInt64.random(in: 0...bitmap.count, using: &chance)
    let range = start..<UInt64.random(in: start...(bitmap.count + 70), using: &chance)
    #expect(Set(bitmap.runs(in: range).joined()) == used.filter(range.contains))
    #expect(
      Set(bitmap.freeRuns(in: range).joined())
        == Set(range.filter { $0 < bitmap.count && !used.contains($0) }))
    let peer = try SlotBitmap(adopting: try bitmap.descriptor.duplicate())
    try peer.recount()
    #expect(peer.usedCount == UInt64(used.count) && peer.limit == bitmap.limit)
    #expect((0..<bitmap.limit).allSatisfy { peer.isUsed($0) == used.contains($0) })
  }

  @Test func neighboursLieTogetherNearTheHint() throws {
    let bitmap = try SlotBitmap(limit: 1000)
    bitmap.grow(to: 1000)
    #expect(bitmap.allocateRun(near: 500, upTo: 10) == 500..<510)
    #expect(bitmap.allocate(near: 505) == 510)
    #expect(bitmap.allocateRun(upTo: 64) == 511..<575)
    // A run that is long enough is better than one that is nearer.
    bitmap.free(515..<518)
    #expect(bitmap.allocateRun(near: 512, upTo: 20) == 575..<595)
    #expect(bitmap.allocateRun(near: 512, upTo: 3) == 515..<518)
    // Behind the end comes the start.
    #expect(bitmap.allocateRun(near: 999, upTo: 8) == 999..<1000)
    #expect(bitmap.allocateRun(near: 1000, upTo: 8) == 0..<8)
  }

  @Test func aLargeOneTakesMemoryOnlyForWhatIsUsed() throws {
    let bitmap = try SlotBitmap(limit: SlotBitmap.slotLimit)
    bitmap.grow(to: SlotBitmap.slotLimit)
    #expect(bitmap.allocate(near: SlotBitmap.slotLimit - 1) == SlotBitmap.slotLimit - 1)
    #expect(bitmap.isUsed(SlotBitmap.slotLimit - 1) && !bitmap.isUsed(SlotBitmap.slotLimit))
    let bytes = try bitmap.descriptor.allocatedBytes()
    #expect(bytes <= 3 * 4096)
  }

  @Test func whatIsNoBitmapIsRefused() throws {
    let short = try Memfd.create(name: "test", size: 100)
    #expect(throws: SwapError.self) { _ = try SlotBitmap(adopting: try short.duplicate()) }
    let zeros = try Memfd.create(name: "test", size: 8192)
    #expect(throws: SwapError.bitmap("it does not begin as one")) {
      _ = try SlotBitmap(adopting: try zeros.duplicate())
    }
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("f", .createNew)
    #expect(throws: SwapError.bitmap("its size may still change")) {
      _ = try SlotBitmap(adopting: try file.duplicate())
    }
  }

  /// Each a word of the header, and what it must not be.
  @Test(arguments: [
    (0, 7), (8, 2), (16, 0), (16, 32769), (16, .max), (24, 101), (24, .max), (32, 51), (32, .max),
  ])
  func aHeaderThatContradictsItselfIsRefused(offset: UInt64, value: UInt64) throws {
    let bitmap = try SlotBitmap(limit: 100)
    bitmap.grow(to: 50)
    let region = try MappedRegion(mapping: bitmap.descriptor, length: 8192)
    let before = region.load(offset, as: UInt64.self)
    region.store(value, at: offset)
    #expect(throws: SwapError.self) { _ = try SlotBitmap(adopting: try bitmap.descriptor.duplicate()) }
    // One that has it mapped already traps nowhere.
    _ = (bitmap.count, bitmap.usedCount, bitmap.freeCount, bitmap.isUsed(99), bitmap.isUsed(.max))
    _ = (Array(bitmap.runs(in: 0..<1000)), bitmap.allocateRun(upTo: 1000), bitmap.free(0..<1000))
    region.store(before, at: offset)
  }

  @Test func bitsThatDoNotAddUpAreFoundByCounting() throws {
    let bitmap = try SlotBitmap(limit: 100)
    bitmap.grow(to: 50)
    _ = bitmap.allocateRun(upTo: 7)
    let region = try MappedRegion(mapping: bitmap.descriptor, length: 8192)
    region.store(UInt64(0xff), at: 4096)
    #expect(throws: SwapError.bitmap("7 slots in use, of which 8 are marked")) { try bitmap.recount() }
    region.store(UInt64(0x3f), at: 4096)
    region.store(UInt64(1), at: 4104)
    #expect(throws: SwapError.bitmap("slot 64 in use where 50 are there")) { try bitmap.recount() }
  }

  @Test func severalThreadsNeverGetTheSameSlot() async throws {
    let bitmap = try SlotBitmap(limit: 40_000)
    bitmap.grow(to: 40_000)
    let all = await withTaskGroup(of: [UInt64].self) { group in
      for seed in 0..<4 {
        group.addTask {
          await Blocking.run {
            var chance = SeededGenerator(seed: UInt64(seed))
            var mine: [UInt64] = []
            for _ in 0..<5000 {
              if mine.isEmpty || Int.random(in: 0..<3, using: &chance) > 0 {
                mine +=
                  bitmap.allocateRun(upTo: UInt64.random(in: 1...4, using: &chance)).map(Array.init) ?? []
              } else {
                bitmap.free(mine.remove(at: Int.random(in: mine.indices, using: &chance)))
              }
            }
            return mine
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(all).count == all.count && bitmap.usedCount == UInt64(all.count))
    try bitmap.recount()
  }
}
