import FSRState
import FSRStorage
import FSRSystem
import FSRTestSupport
import Testing

/// What belongs to a swap file, as it was written once.
@Suite struct SwapFixtureTests {
  private static let header = SwapHeader(
    vm: "größer", identity: MachineIdentity(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210))

  private static let description = SwapDescription(
    path: "/var/tmp/größer.swap", file: FileIdentity(device: 0xfd01, inode: 0x1122_3344_5566), header: header)

  @Test func aDescriptionIsWrittenAsEverAndReadForGood() throws {
    #expect(try Fixture("swap-description.hex").difference(from: Self.description.encoded) == nil)
    #expect(try SwapDescription(decoding: Fixture("swap-description.hex").bytes()) == Self.description)
  }

  @Test func aFilesHeaderIsWrittenAsEver() throws {
    let place = try TemporaryDirectory()
    let swap = try SwapFileTests.open(place.path + "/swap", header: Self.header)
    let page = try place.directory.openFile("swap", .read).read(at: 0, count: 4096)
    #expect(try Fixture("swap-header.hex").difference(from: page) == nil)
    withExtendedLifetime(swap) {}
  }

  /// Whoever takes a file over from a source reads its header, and finds itself in it.
  @Test func aFilesHeaderIsReadForGood() throws {
    let place = try TemporaryDirectory()
    let swap = try SwapFileTests.open(place.path + "/swap", header: Self.header)
    let slots = try swap.allocate()
    swap.release()
    try place.directory.openFile("swap", .readWrite).write(try Fixture("swap-header.hex").bytes(), at: 0)
    let next = try Self.taken(from: swap)
    try next.lock()
    #expect(next.isHeld && next.bitmap.isUsed(slots.lowerBound))
    next.release()
    // A byte of another name is another VM's.
    try place.directory.openFile("swap", .readWrite).write([0x61], at: 32)
    #expect(throws: SwapError.otherFile(path: place.path + "/swap")) { try Self.taken(from: swap) }
  }

  private static func taken(from swap: SwapFile) throws -> SwapFile {
    try SwapFile(
      reopening: try swap.makeReference(), description: swap.description,
      bitmap: try SlotBitmap(adopting: try swap.bitmap.descriptor.duplicate()))
  }

  // MARK: slots

  private static func slots() throws -> SlotBitmap {
    let slots = try SlotBitmap(limit: 100_000)
    slots.grow(to: 4160)
    _ = slots.allocateRun(near: 60, upTo: 10)
    _ = slots.allocate(near: 4159)
    _ = slots.allocateRun(near: 0, upTo: 3)
    slots.free(62)
    return slots
  }

  @Test func aMapOfSlotsIsWrittenAsEver() throws {
    let slots = try Self.slots()
    let bytes = try slots.descriptor.read(at: 0, count: Int(try slots.descriptor.size()))
    #expect(try Fixture("slots.hex").difference(from: bytes) == nil)
  }

  @Test func aMapOfSlotsIsReadForGood() throws {
    let bytes = try Fixture("slots.hex").bytes()
    let memory = try Memfd.create(name: "fixture", size: UInt64(bytes.count))
    try memory.write(bytes, at: 0)
    let slots = try SlotBitmap(adopting: memory)
    try slots.recount()
    #expect(slots.limit == 100_000 && slots.count == 4160 && slots.usedCount == 13)
    #expect(Array(slots.runs(in: 0..<5000)) == [0..<3, 60..<62, 63..<70, 4159..<4160])
  }
}
