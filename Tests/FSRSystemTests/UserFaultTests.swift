import FSRSystem
import FSRTestSupport
import Testing

@Suite(.enabled(if: hasUserFault())) struct UserFaultTests {
  private static let page: UInt64 = 4096

  /// A memfd of four pages, mapped and watched; page 0 holds 7, page 1 holds 9, the others are holes.
  private struct Watched: ~Copyable {
    let memory: OwnedDescriptor
    let region: Owned<MappedRegion>
    var faults: UserFault

    init() throws {
      let memory = try Memfd.create(name: "fsr-test", size: 4 * page)
      try memory.write([UInt8](repeating: 7, count: Int(page)), at: 0)
      try memory.write([UInt8](repeating: 9, count: Int(page)), at: page)
      let region = Owned(try MappedRegion(mapping: memory, length: 4 * page))
      var faults = try UserFault()
      try faults.register(region.value, 0..<4 * page)
      self.memory = memory
      self.region = region
      self.faults = faults
    }

    /// Waits for one fault.
    mutating func next() throws -> UserFault.Fault {
      var found: [UserFault.Fault] = []
      var poller = Poller()
      poller.watch(faults.descriptor, token: 0)
      while try faults.readFaults(into: &found) == 0 { _ = try poller.wait(timeout: nil) }
      return found[0]
    }
  }

  /// Reads a byte on another thread, and answers its fault with `answer`.
  private func touch(
    _ offset: UInt64, in watched: inout Watched, writes: Bool = false,
    _ answer: (UserFault.Fault, borrowing Watched) throws -> Void
  ) throws -> UInt8 {
    let region = watched.region
    let seen = try MappedRegion(anonymous: Self.page)
    let shared = Owned(seen)
    let thread = try OSThread.start(name: "toucher") {
      if writes { region.value.store(UInt8(5), at: offset) }
      shared.value.atomicStore(region.value.load(offset, as: UInt8.self), at: 0)
    }
    let fault = try watched.next()
    #expect(fault.offset == offset / Self.page * Self.page)
    #expect(fault.isWrite == writes)
    try answer(fault, watched)
    thread.join()
    return shared.value.atomicLoad(0)
  }

  @Test func whoWaitsInARangeThatIsWatchedNoMoreFindsZeros() throws {
    var watched = try Watched()
    let byte = try touch(2 * Self.page, in: &watched) { _, watched in
      try watched.faults.unregister(0..<4 * Self.page)
    }
    // Nobody stands still there from here on.
    #expect(byte == 0 && watched.region.value.load(Self.page, as: UInt8.self) == 9)
  }

  @Test func aPageThatIsThereIsMappedAsItIs() throws {
    var watched = try Watched()
    let byte = try touch(Self.page + 3, in: &watched) { fault, watched in
      #expect(fault.isMinor)
      let progress = try watched.faults.continuePages(fault.offset, count: Self.page)
      #expect(progress.mapped == Self.page && progress.end == .done)
    }
    #expect(byte == 9)
  }

  @Test func aHoleIsFilledWithZerosOrWithBytes() throws {
    var watched = try Watched()
    let zero = try touch(2 * Self.page, in: &watched) { fault, watched in
      #expect(!fault.isMinor)
      let isDone = try watched.faults.zeroPages(fault.offset, count: Self.page)
      #expect(isDone)
      let again = try watched.faults.zeroPages(fault.offset, count: Self.page)
      #expect(!again)
    }
    #expect(zero == 0)
    let written = try touch(3 * Self.page + 1, in: &watched, writes: true) { fault, watched in
      let source = try MappedRegion(anonymous: Self.page)
      source.copy([1, 2, 3], to: 0)
      let isDone = try watched.faults.copyPages(fault.offset, count: Self.page, from: source, at: 0)
      #expect(isDone)
    }
    #expect(written == 5)
    let bytes = watched.region.value.bytes(at: 3 * Self.page, count: 3)
    #expect(bytes == [1, 5, 3])
  }

  @Test func whatIsWrittenToTheFileIsSeenByWhoWaits() throws {
    var watched = try Watched()
    let byte = try touch(2 * Self.page, in: &watched) { fault, watched in
      let source = try MappedRegion(anonymous: Self.page)
      source.copy([0x42], to: 0)
      try watched.memory.write(at: fault.offset, count: Self.page, from: source, at: 0)
      _ = try watched.faults.continuePages(fault.offset, count: Self.page)
    }
    #expect(byte == 0x42)
  }

  @Test func mappingAheadStopsAtAHoleAndAtWhatIsMapped() throws {
    let watched = try Watched()
    let first = try watched.faults.continuePages(0, count: 4 * Self.page)
    #expect(first.mapped == 2 * Self.page && first.end == .again)
    let hole = try watched.faults.continuePages(2 * Self.page, count: Self.page)
    #expect(hole.mapped == 0 && hole.end == .hole)
    let mapped = try watched.faults.continuePages(0, count: Self.page)
    #expect(mapped.mapped == 0 && mapped.end == .wasMapped)
    let bytes = watched.region.value.bytes(at: Self.page, count: 1)
    #expect(bytes == [9])
  }

  @Test func anUnmappedPageFaultsAgainAndAPunchedOneIsAHole() throws {
    var watched = try Watched()
    _ = try watched.faults.continuePages(0, count: 2 * Self.page)
    try watched.region.value.unmapPages(0, count: 2 * Self.page)
    let target = try MappedRegion(anonymous: Self.page)
    try watched.memory.read(at: 0, count: Self.page, into: target, at: 0)
    let first = target.load(0, as: UInt8.self)
    #expect(first == 7)
    try watched.memory.punchHole(at: 0, count: Self.page)
    let blocks = try watched.memory.allocatedBytes()
    #expect(blocks == Self.page)
    let kept = try touch(Self.page, in: &watched) { fault, watched in
      #expect(fault.isMinor)
      _ = try watched.faults.continuePages(fault.offset, count: Self.page)
    }
    #expect(kept == 9)
    let lost = try touch(0, in: &watched) { fault, watched in
      #expect(!fault.isMinor)
      _ = try watched.faults.zeroPages(fault.offset, count: Self.page)
    }
    #expect(lost == 0)
  }

  @Test func readingAHoleTakesNoMemoryAndTheEndIsAnError() throws {
    let memory = try Memfd.create(name: "fsr-test", size: 2 * Self.page)
    let target = try MappedRegion(anonymous: Self.page)
    target.store(UInt64.max, at: 8)
    try memory.read(at: 0, count: Self.page, into: target, at: 0)
    let isZero = target.isZero(0, count: Self.page)
    #expect(isZero)
    let blocks = try memory.allocatedBytes()
    #expect(blocks == 0)
    #expect(throws: SystemError.self) {
      try memory.read(at: 2 * Self.page, count: Self.page, into: target, at: 0)
    }
  }
}
