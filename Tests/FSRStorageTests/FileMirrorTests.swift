import FSRStorage
import FSRSystem
import FSRTestSupport
import Testing

/// A swap file that is copied to another while it is used, with real files.
@Suite struct FileMirrorTests {
  /// Where the file lies, and where its copy.
  static let ways = [
    ["/tmp", "/tmp"], ["/dev/shm", "/dev/shm"], ["/dev/shm", "/tmp"], ["/tmp", "/dev/shm"],
  ]

  /// Swap files in two directories.
  struct Pair: ~Copyable {
    let place: TemporaryDirectory
    let copyPlace: TemporaryDirectory
    let swap: SwapFile

    init(
      _ way: [String] = ["/dev/shm", "/dev/shm"], slots: UInt64 = 40_000, options: SwapFile.Options = .init()
    )
      throws
    {
      let place = try TemporaryDirectory(under: way[0])
      let copyPlace = try TemporaryDirectory(under: way[1])
      swap = try SwapFileTests.open(place.path + "/swap", slots: slots, options: options)
      self.place = place
      self.copyPlace = copyPlace
    }

    func makeCopy(_ name: String = "copy") throws(SwapError) -> SwapFile {
      try swap.makeCopy(at: copyPlace.path + "/" + name)
    }

    /// Takes `count` slots and writes a mark to each.
    func fill(_ count: UInt64) throws {
      let memory = Owned(try MappedRegion(anonymous: PageTransfer.limit * 4096))
      var left = count
      while left > 0 {
        let slots = try swap.allocate(upTo: min(left, PageTransfer.limit))
        for (index, slot) in slots.enumerated() {
          memory.value.store(Self.mark(slot), at: UInt64(index) * 4096 + 8)
        }
        let isTaken = try swap.submit(try swap.transfer(.write, slots, memory: memory, offset: 0, tag: 0))
        let failures = try swap.drain().map(\.failure)
        guard isTaken, failures == [nil] else { throw SwapLoad.Lost(description: "\(failures)") }
        left -= UInt64(slots.count)
      }
    }

    static func mark(_ slot: UInt64) -> UInt64 { slot &* 0x9e37_79b9 &+ 1 }

    /// Slots in use in which the two differ, and others in which the copy holds something.
    func differences(from name: String = "copy") throws -> (used: [UInt64], unused: [UInt64]) {
      let original = try place.directory.openFile("swap", .read)
      let copy = try copyPlace.directory.openFile(name, .read)
      var (used, unused): ([UInt64], [UInt64]) = ([], [])
      for slot in 0..<swap.bitmap.count {
        let theirs = try copy.read(at: (slot + 1) * 4096, count: 4096)
        if swap.bitmap.isUsed(slot) {
          let ours = try original.read(at: (slot + 1) * 4096, count: 4096)
          if ours != theirs || ours.count != 4096 { used.append(slot) }
        } else if theirs.contains(where: { $0 != 0 }) {
          unused.append(slot)
        }
      }
      return (used, unused)
    }

    /// Slots of `content` that the original does not hold.
    func lost(_ content: [UInt64: UInt64]) throws -> [UInt64] {
      let original = try place.directory.openFile("swap", .read)
      return try content.filter { slot, mark in
        let bytes = try original.read(at: (slot + 1) * 4096 + 8, count: 8)
        return bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } != mark
      }.keys.sorted()
    }
  }

  /// Waits until `condition` holds, taking completions meanwhile; it is told how many have come. Throws after a while.
  static func wait(_ swap: SwapFile, until what: String, _ condition: (Int) -> Bool) throws {
    let deadline = MonotonicClock.now() + SwapLoad.timeout
    var count = 0
    while !condition(count) {
      if MonotonicClock.now() > deadline { throw SwapLoad.Lost(description: "not in good time: \(what)") }
      count += swap.completions().count
      var poller = Poller()
      poller.watch(swap.event.value.descriptor, token: 0)
      _ = try poller.wait(timeout: 1_000_000)
    }
  }

  /// Waits until a mirror keeps both files the same.
  static func waitForSleep(_ mirror: FileMirror, of swap: SwapFile) throws {
    try wait(swap, until: "the copy sleeps") { _ in mirror.status.state == .sleeping }
  }

  /// Waits until a mirror's thread has closed the copy.
  static func waitForClose(_ copy: SwapFile, of swap: SwapFile) throws {
    try wait(swap, until: "the copy is closed") { _ in !copy.isHeld }
  }

  /// Throws where something does not hold. What is expected on another thread is of no test.
  static func check(_ holds: Bool, _ what: String = "", line: Int = #line, file: String = #fileID) throws {
    if !holds { throw SwapLoad.Lost(description: "\(file):\(line) \(what)") }
  }

  /// Runs a body that waits, on a thread of its own; a failure is the test's.
  static func run(_ body: @escaping @Sendable () throws -> Void) async {
    let failure = await Blocking.run { () -> String? in
      do {
        try body()
        return nil
      } catch { return "\(error)" }
    }
    #expect(failure == nil)
  }

  // MARK: good ones

  @Test(arguments: PageQueue.Engine.allCases, ways)
  func theCopyIsTheSameAfterPagingAllTheWhile(engine: PageQueue.Engine, way: [String]) async {
    await Self.run {
      let pair = try Pair(way, options: .init(engine: engine))
      // The file has to grow with the first pages that follow.
      try pair.fill(SwapFile.growthStep - 10)
      let before = pair.swap.bitmap.count
      let load = try SwapLoad(pair.swap, threads: 6)
      let copy = try pair.makeCopy()
      try load.start(seed: 7, limit: .max, growing: true)
      let mirror = try pair.swap.startMirror(to: copy, chunk: 16)
      try load.serve {
        mirror.status.state != .starting && mirror.status.state != .inProgress && load.count > 3000
      }
      try Self.waitForSleep(mirror, of: pair.swap)
      // Writes go to both as it sleeps, and the file grows further.
      let again = try SwapLoad(pair.swap, threads: 6)
      try again.start(seed: 8, limit: 1500, growing: true)
      try again.serve { again.count >= 6 * 1500 }
      try Self.check(pair.swap.bitmap.count > before)
      try Self.check(mirror.status.state == .sleeping && pair.swap.inFlight == 0)
      try mirror.finish()
      try Self.check(mirror.status.state == .exited && mirror.status.failure == nil)
      let differences = try pair.differences()
      try Self.check(differences.used == [])
      try Self.check(try pair.lost(again.content) == [])
      try Self.check(try pair.lost(load.content) == [])
      mirror.cancel()
      try Self.check(mirror.status.failure == nil, "it is over")
      try Self.waitForClose(copy, of: pair.swap)
      try pair.swap.bitmap.recount()
    }
  }

  @Test(arguments: ways) func whatIsNotInUseIsNotCopied(way: [String]) async {
    await Self.run {
      let pair = try Pair(way)
      try pair.fill(3000)
      // Single slots, short runs, long runs, and a chunk of nothing.
      for slot in stride(from: UInt64(0), to: 500, by: 2) { try pair.swap.free(slot..<slot + 1) }
      for slot in stride(from: UInt64(500), to: 1000, by: 30) { try pair.swap.free(slot..<slot + 7) }
      try pair.swap.free(1500..<2500)
      let copy = try pair.makeCopy()
      let mirror = try pair.swap.startMirror(to: copy, chunk: 64)
      try Self.waitForSleep(mirror, of: pair.swap)
      try Self.check(mirror.status.copied == pair.swap.bitmap.usedCount * 4096)
      try Self.check(mirror.status.total == mirror.status.copied)
      try mirror.finish()
      let differences = try pair.differences()
      try Self.check(differences.used == [] && differences.unused == [])
      mirror.cancel()
      try Self.waitForClose(copy, of: pair.swap)
    }
  }

  @Test func oneChunkOfManyExtentsIsCopiedToItsEnd() async {
    await Self.run {
      let pair = try Pair(["/dev/shm", "/tmp"], slots: 20_000)
      // Extents of more than one part, and many more than there are threads.
      try pair.fill(12_000)
      for slot in stride(from: UInt64(5000), to: 12_000, by: 3) { try pair.swap.free(slot..<slot + 1) }
      let copy = try pair.makeCopy()
      let mirror = try pair.swap.startMirror(to: copy)
      try Self.waitForSleep(mirror, of: pair.swap)
      try mirror.finish()
      let differences = try pair.differences()
      try Self.check(differences.used == [] && differences.unused == [])
      mirror.cancel()
      try Self.waitForClose(copy, of: pair.swap)
    }
  }

  @Test func anEmptyFileIsSoonCopied() async {
    await Self.run {
      let pair = try Pair()
      let copy = try pair.makeCopy()
      let mirror = try pair.swap.startMirror(to: copy)
      try Self.waitForSleep(mirror, of: pair.swap)
      try pair.fill(300)
      // The copy has to become longer too.
      try Self.waitForSleep(mirror, of: pair.swap)
      try mirror.finish()
      let differences = try pair.differences()
      try Self.check(differences.used == [])
      mirror.cancel()
      try Self.waitForClose(copy, of: pair.swap)
    }
  }
}
