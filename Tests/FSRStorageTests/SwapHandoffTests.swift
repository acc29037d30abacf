import FSRState
import FSRStorage
import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// One swap file and its owners, one after the other.
@Suite struct SwapHandoffTests {
  private static func write(
    _ mark: UInt64, to slots: Range<UInt64>, of swap: SwapFile, _ memory: Owned<MappedRegion>
  ) throws {
    for (index, slot) in slots.enumerated() { memory.value.store(mark ^ slot, at: UInt64(index) * 4096) }
    let transfer = try swap.transfer(.write, slots, memory: memory, offset: 0, tag: 0)
    let taken = try swap.submit(transfer)
    let completions = try swap.drain()
    #expect(taken && completions.map(\.failure) == [nil])
  }

  private static func holds(
    _ mark: UInt64, _ slots: Range<UInt64>, of swap: SwapFile, _ memory: Owned<MappedRegion>
  ) throws -> Bool {
    let transfer = try swap.transfer(.read, slots, memory: memory, offset: 0, tag: 0)
    guard try swap.submit(transfer), try swap.drain().map(\.failure) == [nil] else { return false }
    return slots.enumerated().allSatisfy { index, slot in
      memory.value.load(UInt64(index) * 4096) == mark ^ slot
    }
  }

  private static func receive(_ swap: SwapFile) throws -> SwapFile {
    try SwapFile(
      reopening: try swap.makeReference(),
      description: try SwapDescription(decoding: swap.description.encoded),
      bitmap: try SlotBitmap(adopting: try swap.bitmap.descriptor.duplicate()))
  }

  @Test(arguments: SwapFileTests.places) func pagesAndSlotsGoToTheDestinationAndBack(root: String) throws {
    let place = try TemporaryDirectory(under: root)
    let source = try SwapFileTests.open(place.path + "/swap")
    let memory = Owned(try MappedRegion(anonymous: 16 * 4096))
    let slots = try source.allocate(upTo: 16)
    try Self.write(7, to: slots, of: source, memory)

    let destination = try Self.receive(source)
    #expect(!destination.isHeld && source.isHeld)
    #expect(throws: SwapError.inUse(path: place.path + "/swap", vm: nil, process: nil)) {
      try destination.lock()
    }
    #expect(throws: SwapError.notHeld) {
      _ = try destination.submit(try destination.transfer(.read, slots, memory: memory, offset: 0, tag: 0))
    }
    let more = try source.allocate(upTo: 3)
    try Self.write(9, to: more, of: source, memory)
    let ahead = try source.reopened()

    source.release()
    try destination.lock()
    let seen = [
      try Self.holds(7, slots, of: destination, memory), try Self.holds(9, more, of: destination, memory),
    ]
    #expect(seen == [true, true] && destination.bitmap.usedCount == 19)
    #expect(throws: SwapError.notHeld) { _ = try source.allocate() }
    #expect(throws: SwapError.notHeld) { try source.lock() }
    #expect(throws: SwapError.self) { try ahead.lock() }

    // The destination fails: the source has opened the file anew already.
    destination.release()
    try ahead.lock()
    let back = try Self.holds(7, slots, of: ahead, memory)
    #expect(back && ahead.bitmap.usedCount == 19)
  }

  @Test func aReferenceCarriesNoLock() throws {
    let place = try TemporaryDirectory()
    let source = try SwapFileTests.open(place.path + "/swap")
    let reference = try source.makeReference()
    let description = source.description
    let bitmap = source.bitmap
    source.release()
    let next = try SwapFile(reopening: reference, description: description, bitmap: bitmap)
    try next.lock()
    #expect(next.isHeld)
  }

  @Test func noOtherVMTakesTheFileWhileNobodyWritesIt() throws {
    let place = try TemporaryDirectory()
    let path = place.path + "/swap"
    var source: SwapFile? = try SwapFileTests.open(path)
    let reference = try source!.makeReference()
    let destination = try Self.receive(source!)
    source!.release()
    source = nil
    #expect(SwapFileTests.refusal(path) == .inUse(path: path, vm: "one", process: nil))
    try destination.lock()
    #expect(destination.isHeld)
    // A part of one that reads and writes nothing does too.
    var third: SwapFile? = destination
    _ = third.take()
    let claim = try SwapClaim(joining: reference)
    destination.release()
    #expect(SwapFileTests.refusal(path) == .inUse(path: path, vm: "one", process: nil))
    _ = claim
  }

  @Test func onlyTheFileThatWasDescribedIsOpened() throws {
    let place = try TemporaryDirectory()
    let one = try SwapFileTests.open(place.path + "/swap")
    let two = try SwapFileTests.open(place.path + "/other")
    let other = SwapError.otherFile(path: place.path + "/swap")
    #expect(throws: other) {
      _ = try SwapFile(
        reopening: try two.makeReference(), description: one.description, bitmap: one.bitmap)
    }
    #expect(throws: other) {
      _ = try SwapFile(
        reopening: try OwnedDescriptor.open("/dev/null", .readWrite), description: one.description,
        bitmap: one.bitmap)
    }
    // The same file with another VM's header.
    try place.directory.openFile("swap", .readWrite).write([9], at: 12)
    #expect(throws: other) { _ = try one.reopened() }
  }

  @Test func aFileThatWasCutShortIsNotTaken() throws {
    let place = try TemporaryDirectory()
    let source = try SwapFileTests.open(place.path + "/swap")
    _ = try source.allocate()
    let destination = try Self.receive(source)
    source.release()
    try place.directory.openFile("swap", .readWrite).truncate(to: 8192)
    let needed = (source.bitmap.count + 1) * 4096
    #expect(throws: SwapError.tooSmall(path: place.path + "/swap", bytes: 8192, needed: needed)) {
      try destination.lock()
    }
    #expect(!destination.isHeld)
  }

  @Test func aDescriptionIsReadAsItIsWrittenAndNothingElseIs() throws {
    let description = SwapDescription(
      path: "/a/b", file: FileIdentity(device: 5, inode: .max), header: SwapFileTests.header)
    let read = try SwapDescription(decoding: description.encoded)
    #expect(read == description)
    var chance = SeededGenerator(seed: 3)
    for _ in 0..<2000 {
      let bytes = chance.mutate(description.encoded)
      if let other = try? SwapDescription(decoding: bytes) {
        #expect(other.path.utf8.count <= SwapDescription.pathLimit)
      }
    }
  }

  /// The lock of a killed process goes after its last write: whoever has it then writes over whatever there was.
  @Test(arguments: PageQueue.Engine.allCases, SwapFileTests.places)
  func aKilledProcessWritesNothingAfterItsLockIsGone(engine: PageQueue.Engine, root: String) async throws {
    let place = try TemporaryDirectory(under: root)
    let path = place.path + "/swap"
    _ = try SwapFileTests.open(path)
    let name = engine.rawValue
    let successor = Task { await Blocking.run { Self.takeOver(path) } }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, name = name as String] in
      let swap = try SwapFileTests.open(
        path, options: .init(depth: 256, engine: PageQueue.Engine(rawValue: name), prefersDirect: true))
      let slots = try swap.allocate(upTo: 1024)
      let memory = Owned(try MappedRegion(anonymous: 1024 * 4096))
      for slot in slots { memory.value.store(~UInt64(0), at: slot * 4096) }
      let transfers = try slots.map {
        try swap.transfer(.write, $0..<($0 + 1), memory: memory, offset: $0 * 4096, tag: $0)
      }
      for _ in 0..<20 {
        _ = try swap.submit(transfers.shuffled())
        _ = try swap.wait()
      }
      _ = try swap.submit(transfers)
      ProcessDescriptor.signalSelf(SignalNumber.kill)
    }
    let outcome = await successor.value
    #expect(outcome == nil)
  }

  /// Waits until the other has had the file, takes it, and looks whether its own writes stay; answers what went wrong.
  private static func takeOver(_ path: String) -> String? {
    do {
      let file = try OwnedDescriptor.open(path, .readWrite)
      // A mistake ends the test instead of waiting for it for ever.
      let deadline = MonotonicClock.now() + 120_000_000_000
      while try file.size() <= 4096 {
        if MonotonicClock.now() > deadline { return "nobody has used the file" }
      }
      // The byte that the writer has locked.
      while try !file.tryLock(byte: 0, .exclusive) {
        if MonotonicClock.now() > deadline { return "the lock was never given back" }
      }
      let mine = [UInt8](repeating: 0x55, count: 1024 * 4096)
      try file.write(mine, at: 4096)
      for _ in 0..<20 where try file.read(at: 4096, count: mine.count) != mine {
        return "a page was written after the lock was gone"
      }
      return nil
    } catch { return "\(error)" }
  }
}
