import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct PageQueueTests {
  private static let page = PageTransfer.pageSize
  /// One on a disk, one on tmpfs.
  private static let places = ["/tmp", "/dev/shm"]

  private static func memory(pages: UInt64) throws -> Owned<MappedRegion> {
    Owned(try MappedRegion(anonymous: pages * page))
  }

  private static func queue(
    _ place: borrowing TemporaryDirectory, _ engine: PageQueue.Engine, pages: UInt64, depth: Int = 16,
    faults: IOFaultPlan = IOFaultPlan(), direct: Bool = false
  ) throws -> PageQueue {
    let file = try place.directory.openFile("pages", .readWriteCreating)
    try file.truncate(to: pages * page)
    if direct { _ = file.makeDirect() }
    return try PageQueue(file: file, depth: depth, engine: engine, faults: faults)
  }

  @Test(arguments: PageQueue.Engine.allCases, places)
  func whatIsReadIsWhatWasWrittenLast(engine: PageQueue.Engine, root: String) async throws {
    let failure = await Blocking.run { () -> String? in
      do {
        for direct in [false, true] { try Self.compareWithReference(engine, root, direct: direct) }
        return nil
      } catch { return "\(error)" }
    }
    #expect(failure == nil)
  }

  private struct Mismatch: Error { let page: UInt64 }

  /// Random transfers; no two in flight touch the same page of the file.
  private static func compareWithReference(_ engine: PageQueue.Engine, _ root: String, direct: Bool) throws {
    let place = try TemporaryDirectory(under: root)
    let filePages: UInt64 = 200
    let depth = 16
    let room: UInt64 = 8
    let queue = try queue(place, engine, pages: filePages, depth: depth, direct: direct)
    let memory = try memory(pages: UInt64(depth) * room)
    var chance = SeededGenerator(seed: 5)
    var content = [UInt64](repeating: 0, count: Int(filePages))
    var busy: Set<UInt64> = []
    var lanes = Array(0..<UInt64(depth))
    var running: [UInt64: PageTransfer] = [:]
    func finish(_ completions: [PageCompletion]) throws {
      for completion in completions {
        guard let transfer = running.removeValue(forKey: completion.tag) else { throw Absent() }
        if let failure = completion.failure { throw failure }
        for (index, page) in transfer.pages.enumerated() {
          let offset = transfer.offset + UInt64(index) * Self.page
          let found = [memory.value.load(offset), memory.value.load(offset + Self.page - 8)] as [UInt64]
          if found != [content[Int(page)], content[Int(page)]] { throw Mismatch(page: page) }
        }
        busy.subtract(transfer.pages)
        lanes.append(completion.tag)
      }
    }
    for round in 1...4000 {
      let start = UInt64.random(in: 0..<(filePages - room), using: &chance)
      let pages = start..<(start + UInt64.random(in: 1...room, using: &chance))
      if let lane = lanes.last, busy.isDisjoint(with: pages) {
        lanes.removeLast()
        let writes = Bool.random(using: &chance)
        for (index, page) in pages.enumerated() {
          let offset = (lane * room + UInt64(index)) * Self.page
          let mark = writes ? UInt64(round) << 16 | page : 0
          memory.value.store(mark, at: offset)
          memory.value.store(mark, at: offset + Self.page - 8)
          if writes { content[Int(page)] = mark }
        }
        let transfer = PageTransfer(
          writes ? .write : .read, pages: pages, memory: memory, offset: lane * room * Self.page, tag: lane)
        running[lane] = transfer
        busy.formUnion(pages)
        let taken = try queue.submit(transfer)
        #expect(taken)
      }
      try finish(lanes.isEmpty ? try queue.wait() : queue.completions())
    }
    try finish(try queue.drain())
    #expect(queue.inFlight == 0 && running.isEmpty)
  }

  @Test(arguments: PageQueue.Engine.allCases) func noMoreAreTakenThanTheDepth(engine: PageQueue.Engine) throws
  {
    let place = try TemporaryDirectory()
    let queue = try Self.queue(place, engine, pages: 8, depth: 3)
    let memory = try Self.memory(pages: 1)
    let transfers = (0..<8).map {
      PageTransfer(.read, pages: $0..<($0 + 1), memory: memory, offset: 0, tag: $0)
    }
    let taken = try queue.submit(transfers)
    #expect(taken == 3)
    let completions = try queue.drain()
    #expect(Set(completions.map(\.tag)) == [0, 1, 2] && completions.allSatisfy { $0.failure == nil })
    let again = try queue.submit(transfers[3])
    #expect(again)
  }

  @Test(arguments: PageQueue.Engine.allCases)
  func theEventIsUpWhenThereIsSomethingToTake(engine: PageQueue.Engine) async throws {
    let place = try TemporaryDirectory()
    let queue = try Self.queue(place, engine, pages: 1)
    let memory = try Self.memory(pages: 1)
    let none = try queue.wait(timeout: 1_000_000_000_000)
    #expect(none.isEmpty, "nothing is in flight, so nothing is waited for")
    let taken = try queue.submit(PageTransfer(.write, pages: 0..<1, memory: memory, offset: 0, tag: 9))
    #expect(taken)
    let tags = await Blocking.run { () -> [UInt64] in
      var poller = Poller()
      poller.watch(queue.event.value.descriptor, token: 1)
      while queue.inFlight > 0 {
        guard let ready = try? poller.wait(timeout: nil), ready == [1] else { return [] }
        let all = queue.completions()
        if !all.isEmpty { return all.map(\.tag) }
      }
      return []
    }
    #expect(tags == [9])
  }

  @Test(arguments: PageQueue.Engine.allCases)
  func aReadBehindTheEndIsAnErrorAndNoZeros(engine: PageQueue.Engine) throws {
    let place = try TemporaryDirectory()
    let queue = try Self.queue(place, engine, pages: 2)
    let memory = try Self.memory(pages: 4)
    for (tag, pages) in [(1, 2..<3), (2, 1..<4)] as [(UInt64, Range<UInt64>)] {
      let taken = try queue.submit(PageTransfer(.read, pages: pages, memory: memory, offset: 0, tag: tag))
      #expect(taken)
    }
    let completions = try queue.drain()
    #expect(completions.map { $0.failure?.errno } == [EIO, EIO])
  }

  @Test(arguments: PageQueue.Engine.allCases)
  func aFailureOfTheKernelIsThatTransfersAlone(engine: PageQueue.Engine) throws {
    let place = try TemporaryDirectory()
    _ = try place.directory.openFile("pages", .createNew)
    let file = try place.directory.openFile("pages", .read)
    let queue = try PageQueue(file: file, depth: 2, engine: engine)
    let taken = try queue.submit(
      PageTransfer(.write, pages: 0..<1, memory: try Self.memory(pages: 1), offset: 0, tag: 0))
    #expect(taken)
    let completions = try queue.drain()
    #expect(completions.map { $0.failure?.errno } == [EBADF])
    #expect(completions.first?.failure?.description.contains("pages 0 to 0") == true)
  }

  @Test(arguments: PageQueue.Engine.allCases) func plannedFailuresComeWhenPlanned(engine: PageQueue.Engine)
    throws
  {
    let place = try TemporaryDirectory()
    let plan = try #require(IOFaultPlan("write:2:ENOSPC,read:3+:EIO"))
    let queue = try Self.queue(place, engine, pages: 1, faults: plan)
    let memory = try Self.memory(pages: 1)
    var outcomes: [Int32] = []
    for direction in [PageTransfer.Direction.write, .write, .write, .read, .read, .read, .read] {
      let taken = try queue.submit(PageTransfer(direction, pages: 0..<1, memory: memory, offset: 0, tag: 0))
      #expect(taken)
      outcomes += try queue.wait().map { $0.failure?.errno ?? 0 }
    }
    #expect(outcomes == [0, ENOSPC, 0, 0, 0, EIO, EIO])
  }

  @Test(arguments: PageQueue.Engine.allCases)
  func closingEndsWhatIsInFlightAndTakesNoMore(engine: PageQueue.Engine) throws {
    let place = try TemporaryDirectory()
    let queue = try Self.queue(place, engine, pages: 64, depth: 64)
    let memory = try Self.memory(pages: 64)
    let transfers = (0..<64).map {
      PageTransfer(.write, pages: $0..<($0 + 1), memory: memory, offset: $0 * 4096, tag: $0)
    }
    let taken = try queue.submit(transfers)
    var sawFile = false
    let completions = queue.close { _ in sawFile = true }
    #expect(taken == 64 && completions.count == 64 && sawFile && queue.isClosed)
    #expect(throws: SystemError.self) { _ = try queue.submit(transfers[0]) }
    let file = try queue.withFile { _ in true }
    #expect(file == nil && queue.close().isEmpty)
  }

  @Test(arguments: PageQueue.Engine.allCases) func nothingIsLeftOpen(engine: PageQueue.Engine) async {
    let name = engine.rawValue
    await #expect(processExitsWith: .success) { [name = name as String] in
      let engine = try #require(PageQueue.Engine(rawValue: name))
      let closed = try OpenDescriptors.areClosed(after: {
        let place = try TemporaryDirectory()
        let queue = try Self.queue(place, engine, pages: 4)
        _ = try queue.submit(
          PageTransfer(.read, pages: 0..<4, memory: try Self.memory(pages: 4), offset: 0, tag: 0))
      })
      #expect(closed)
    }
  }

  @Test func withoutIoUringThreadsDoIt() async throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("pages", .readWriteCreating)
    let queue = try PageQueue(file: file, depth: 4)
    let forbidden =
      (try? OwnedDescriptor.open("/proc/sys/kernel/io_uring_disabled", .read).readAll(limit: 8))?.first
    if forbidden == UInt8(ascii: "0") { #expect(queue.engine == .ring) }
    if forbidden == UInt8(ascii: "2") { #expect(queue.engine == .threads) }
  }

  @Test(arguments: [(0, 0, 0), (0, 257, 0), (0, 1, 1), (0, 2, 4096), (1 << 51, 1, 0)])
  func aTransferThatIsNotWholePagesInsideTheMemoryTraps(page: UInt64, count: UInt64, offset: UInt64) async {
    await #expect(processExitsWith: .failure) {
      [page = page as UInt64, count = count as UInt64, offset = offset as UInt64] in
      _ = PageTransfer(
        .read, pages: page..<(page + count), memory: try Self.memory(pages: 2), offset: offset, tag: 0)
    }
  }
}
