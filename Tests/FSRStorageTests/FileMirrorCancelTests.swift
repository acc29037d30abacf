import FSRStorage
import FSRSystem
import FSRTestSupport
import Testing

/// A copy that is called off, or asked for too early.
@Suite struct FileMirrorCancelTests {
  private typealias Pair = FileMirrorTests.Pair

  /// Starts a write, and takes no completion of it.
  private static func write(_ pair: borrowing Pair, _ slot: UInt64) throws {
    let memory = Owned(try MappedRegion(anonymous: 4096))
    memory.value.store(Pair.mark(slot), at: 8)
    let isTaken = try pair.swap.submit(
      try pair.swap.transfer(.write, slot..<slot + 1, memory: memory, offset: 0, tag: 9))
    try FileMirrorTests.check(isTaken)
  }

  /// Looks that the original has what was written, that the copy is closed, and that another one can be made.
  private static func expectAsBefore(_ pair: borrowing Pair, _ copy: SwapFile, slots: UInt64) throws {
    try FileMirrorTests.waitForClose(copy, of: pair.swap)
    try FileMirrorTests.check(pair.swap.inFlight == 0)
    let content = Dictionary(uniqueKeysWithValues: (0..<slots).map { ($0, Pair.mark($0)) })
    try FileMirrorTests.check(try pair.lost(content) == [])
    try pair.fill(20)
    let again = try SwapFile.open(
      pair.copyPlace.path + "/again", header: SwapFileTests.header, slotLimit: 10)
    let isHeld = again.isHeld
    try FileMirrorTests.check(isHeld)
  }

  /// Why a copy may not be taken.
  private static func refusal(_ mirror: FileMirror) -> CopyFailure? {
    do throws(CopyFailure) {
      try mirror.finish()
      return nil
    } catch { return error }
  }

  enum Early: CaseIterable { case cancel, finish }

  private static func giveUp(_ mirror: FileMirror, _ how: Early) throws {
    switch how {
    case .cancel:
      mirror.cancel()
      try FileMirrorTests.check(mirror.status.failure == .cancelled)
    case .finish:
      try FileMirrorTests.check(Self.refusal(mirror) == .wokenEarly)
      try FileMirrorTests.check(mirror.status.failure == .wokenEarly)
    }
    let isAlive = mirror.isAlive
    try FileMirrorTests.check(!isAlive)
    // The first reason stays.
    mirror.cancel(.original(SystemError("pread", errno: 5)))
    try FileMirrorTests.check(Self.refusal(mirror) == (how == .cancel ? .cancelled : .wokenEarly))
  }

  @Test(arguments: Early.allCases) func asItStarts(how: Early) async {
    await FileMirrorTests.run {
      let pair = try Pair()
      try pair.fill(40)
      let copy = try pair.makeCopy()
      // Its end is not known as long as nobody takes completions.
      try Self.write(pair, 3)
      let mirror = try pair.swap.startMirror(to: copy)
      try Self.write(pair, 4)
      try FileMirrorTests.check(mirror.status.state == .starting)
      try Self.giveUp(mirror, how)
      try Self.expectAsBefore(pair, copy, slots: 40)
    }
  }

  @Test(arguments: Early.allCases) func asItCopies(how: Early) async {
    await FileMirrorTests.run {
      let pair = try Pair()
      try pair.fill(400)
      let copy = try pair.makeCopy()
      // Twenty-five seconds of work.
      let mirror = try pair.swap.startMirror(to: copy, bytesPerSecond: CopyPace.slowest)
      try FileMirrorTests.wait(pair.swap, until: "a part is copied") { _ in mirror.status.copied > 0 }
      for slot in [0, 1, 200, 399] as [UInt64] { try Self.write(pair, slot) }
      try FileMirrorTests.check(
        mirror.status.state == .inProgress && mirror.status.copied < mirror.status.total)
      try Self.giveUp(mirror, how)
      try Self.expectAsBefore(pair, copy, slots: 400)
    }
  }

  /// Both files are the same, but for a write that is under way.
  private static func withSleepingCopy(
    _ body: @escaping @Sendable (borrowing Pair, SwapFile, FileMirror) throws -> Void
  ) async {
    await FileMirrorTests.run {
      let pair = try Pair()
      try pair.fill(40)
      let copy = try pair.makeCopy()
      let mirror = try pair.swap.startMirror(to: copy)
      try FileMirrorTests.waitForSleep(mirror, of: pair.swap)
      try Self.write(pair, 4)
      try body(pair, copy, mirror)
    }
  }

  @Test func asItSleeps() async {
    await Self.withSleepingCopy { pair, copy, mirror in
      try Self.giveUp(mirror, .cancel)
      try Self.expectAsBefore(pair, copy, slots: 40)
    }
  }

  @Test func withAWriteUnderWayTheCopyIsNotTaken() async {
    await Self.withSleepingCopy { pair, copy, mirror in
      try FileMirrorTests.check(Self.refusal(mirror) == .wokenEarly)
      try Self.expectAsBefore(pair, copy, slots: 40)
    }
  }

  @Test func aSecondCopyIsMadeAfterAFirstThatWasCalledOff() async {
    await FileMirrorTests.run {
      let pair = try Pair()
      try pair.fill(400)
      for round in 0..<5 {
        let copy = try pair.makeCopy()
        let mirror = try pair.swap.startMirror(to: copy, bytesPerSecond: round < 4 ? CopyPace.slowest : nil)
        try Self.write(pair, UInt64(round))
        if round < 4 { mirror.cancel() }
        try FileMirrorTests.wait(pair.swap, until: "it is over, or sleeps") { _ in
          !copy.isHeld || (mirror.status.state == .sleeping && pair.swap.inFlight == 0)
        }
        if round == 4 { try mirror.finish() }
      }
      let content = Dictionary(uniqueKeysWithValues: (0..<400).map { (UInt64($0), Pair.mark(UInt64($0))) })
      try FileMirrorTests.check(try pair.lost(content) == [])
      try FileMirrorTests.check(try pair.differences().used == [])
    }
  }

  /// A write of the first mirror is still under way as the second comes.
  @Test func aSecondMirrorLosesNoWriteOfTheFirst() async {
    await FileMirrorTests.run {
      let pair = try Pair()
      try pair.fill(400)
      let (first, second) = (try pair.makeCopy(), try pair.makeCopy("second"))
      let mirror = try pair.swap.startMirror(to: first, bytesPerSecond: CopyPace.slowest)
      try Self.write(pair, 300)
      try Self.write(pair, 301)
      mirror.cancel()
      let next = try? pair.swap.startMirror(to: second)
      try Self.write(pair, 302)
      try FileMirrorTests.wait(pair.swap, until: "three writes have ended") { ended in ended == 3 }
      next?.cancel()
      try FileMirrorTests.wait(pair.swap, until: "both copies are closed") { _ in
        !first.isHeld && (next == nil || !second.isHeld)
      }
      try FileMirrorTests.check(pair.swap.inFlight == 0)
    }
  }

  @Test func aFileThatIsGivenBackWithWritesUnderWayEndsItsMirror() async {
    await FileMirrorTests.run {
      let pair = try Pair()
      try pair.fill(400)
      let copy = try pair.makeCopy()
      let mirror = try pair.swap.startMirror(to: copy, bytesPerSecond: CopyPace.slowest)
      for slot in 0..<20 as Range<UInt64> { try Self.write(pair, slot) }
      let left = pair.swap.release()
      try FileMirrorTests.check(left.count == 20)
      try FileMirrorTests.check(mirror.status.failure == .cancelled)
      try FileMirrorTests.waitForClose(copy, of: pair.swap)
    }
  }
}
