import FSRStorage
import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// Slots and their pages: growth, failures, a full disk.
@Suite struct SwapPagesTests {
  private static func memory(pages: UInt64) throws -> Owned<MappedRegion> {
    Owned(try MappedRegion(anonymous: pages * 4096))
  }

  private struct Lost: Error { let slot: UInt64 }

  @Test(arguments: PageQueue.Engine.allCases, SwapFileTests.places)
  func everyPageIsReadAsItWasWritten(engine: PageQueue.Engine, root: String) async throws {
    let failure = await Blocking.run { () -> String? in
      do {
        try Self.evictAndFault(engine, root)
        return nil
      } catch { return "\(error)" }
    }
    #expect(failure == nil)
  }

  /// Does as a pager does: clusters go out, single pages come back and free their slots.
  private static func evictAndFault(_ engine: PageQueue.Engine, _ root: String) throws {
    let place = try TemporaryDirectory(under: root)
    let swap = try SwapFileTests.open(place.path + "/swap", options: .init(engine: engine))
    let memory = try memory(pages: 64)
    var chance = SeededGenerator(seed: 11)
    var out: [(slot: UInt64, mark: UInt64)] = []
    func run(_ direction: PageTransfer.Direction, _ slots: Range<UInt64>) throws {
      let transfer = try swap.transfer(direction, slots, memory: memory, offset: 0, tag: 1)
      guard try swap.submit(transfer), try swap.drain().map(\.failure) == [nil] else { throw Absent() }
    }
    for _ in 0..<1500 {
      if out.count < 50 || (out.count < 8000 && Int.random(in: 0..<3, using: &chance) == 0) {
        let slots = try swap.allocate(upTo: UInt64.random(in: 1...64, using: &chance))
        for (index, slot) in slots.enumerated() {
          let mark = chance.next()
          memory.value.store(mark, at: UInt64(index) * 4096 + 8)
          out.append((slot, mark))
        }
        try run(.write, slots)
      } else {
        let (slot, mark) = out.remove(at: Int.random(in: out.indices, using: &chance))
        try run(.read, slot..<(slot + 1))
        if memory.value.load(8, as: UInt64.self) != mark { throw Lost(slot: slot) }
        try swap.free(slot..<(slot + 1))
      }
    }
    guard swap.bitmap.usedCount == UInt64(out.count) else { throw Absent() }
    // What is given back to the disk is nobody's page.
    _ = try swap.returnFreeBlocks(in: 0..<swap.bitmap.count)
    for (slot, mark) in out {
      try run(.read, slot..<(slot + 1))
      if memory.value.load(8, as: UInt64.self) != mark { throw Lost(slot: slot) }
    }
    try swap.bitmap.recount()
  }

  @Test func theFileGrowsByStepsUpToTheLimit() throws {
    let place = try TemporaryDirectory()
    let swap = try SwapFileTests.open(place.path + "/swap", slots: SwapFile.growthStep + 10)
    var sizes: Set<UInt64> = []
    let file = try place.directory.openFile("swap", .read)
    for _ in 0..<(SwapFile.growthStep + 10) {
      _ = try swap.allocate()
      sizes.insert(try file.size() / 4096)
    }
    #expect(sizes == [SwapFile.growthStep + 1, SwapFile.growthStep + 11])
    #expect(throws: SwapError.outOfSlots(limit: SwapFile.growthStep + 10)) { _ = try swap.allocate() }
    try swap.free(5..<6)
    let again = try swap.allocate(upTo: 9)
    #expect(again == 5..<6)
  }

  @Test func freeBlocksGoBackToTheDisk() throws {
    let place = try TemporaryDirectory()
    let swap = try SwapFileTests.open(place.path + "/swap")
    let slots = try swap.allocate(upTo: 100)
    let file = try place.directory.openFile("swap", .read)
    let before = try file.allocatedBytes()
    // Runs that are too short stay.
    try swap.free(0..<15)
    try swap.free(20..<60)
    let returned = try swap.returnFreeBlocks(in: 0..<slots.upperBound)
    let after = try file.allocatedBytes()
    #expect(returned == 40 && before - after == 40 * 4096)
    #expect(swap.bitmap.usedCount == 45)
  }

  @Test func aSlotThatIsNotThereIsAnError() throws {
    let place = try TemporaryDirectory()
    let swap = try SwapFileTests.open(place.path + "/swap")
    let memory = try Self.memory(pages: 1)
    #expect(throws: SwapError.noSuchSlot(0, count: 0)) {
      _ = try swap.transfer(.read, 0..<1, memory: memory, offset: 0, tag: 0)
    }
    #expect(throws: SwapError.self) {
      _ = try swap.transfer(.read, (.max - 1)..<UInt64.max, memory: memory, offset: 0, tag: 0)
    }
  }

  @Test func plannedFailuresMeanWhatTheyMeanToAUser() throws {
    let place = try TemporaryDirectory()
    let plan = try #require(IOFaultPlan("grow:1+:ENOSPC"))
    let full = try SwapFileTests.open(place.path + "/a", options: .init(faults: plan))
    do throws(SwapError) {
      _ = try full.allocate()
      Issue.record("grown all the same")
    } catch { guard case .full = error else { throw error } }
    // A smaller step may still fit.
    let once = try #require(IOFaultPlan("grow:1:EDQUOT,grow:2:ENOSPC,write:1:EROFS"))
    let tight = try SwapFileTests.open(place.path + "/b", options: .init(faults: once))
    let slots = try tight.allocate()
    #expect(tight.bitmap.count == SwapFile.growthStep / 4)
    let memory = try Self.memory(pages: 1)
    let taken = try tight.submit(try tight.transfer(.write, slots, memory: memory, offset: 0, tag: 4))
    let completion = try #require(try tight.wait().first)
    let failure = try #require(completion.failure)
    #expect(taken && completion.tag == 4)
    guard case .readOnly = SwapError(failure) else { throw failure }
  }

  @Test func aFullDiskIsAnErrorAndWhatWasWrittenStays() throws {
    guard let disk = try SmallDisk(size: "1m") else { return }
    let swap = try SwapFileTests.open(disk.path + "/swap")
    var slots: [UInt64] = []
    do throws(SwapError) {
      while true { slots.append(try swap.allocate().lowerBound) }
    } catch { guard case .full = error else { throw error } }
    #expect(slots.count >= 128 && slots.count < 256)
    let memory = try Self.memory(pages: 1)
    for slot in slots {
      memory.value.store(slot, at: 0)
      let taken = try swap.submit(
        try swap.transfer(.write, slot..<(slot + 1), memory: memory, offset: 0, tag: 0))
      let completions = try swap.drain()
      #expect(taken && completions.map(\.failure) == [nil])
    }
    try swap.free(slots[3]..<(slots[3] + 1))
    let again = try swap.allocate()
    #expect(again.lowerBound == slots[3])
  }

  @Test func aReadOnlyDiskIsAnError() throws {
    guard let disk = try SmallDisk(size: "1m", isReadOnly: true) else { return }
    guard case .readOnly = SwapFileTests.refusal(disk.path + "/swap") else {
      Issue.record("not refused as read-only")
      return
    }
  }
}
