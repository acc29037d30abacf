import FSRStorage
import FSRSystem
import FSRTestSupport
import Testing

/// A swap file that is copied to another, where something fails or somebody calls it off.
@Suite struct FileMirrorFaultTests {
  private typealias Pair = FileMirrorTests.Pair

  /// What became of a copy under a plan.
  private enum End: Equatable {
    case copied
    case failed(CopyFailure)
    /// It did not begin.
    case refused(SwapError)
  }

  /// Copies a small file under `plan` while it is paged, and looks that the original is right and nothing is left over.
  private static func copy(under plan: String, growing: Bool) throws -> End {
    guard let plan = IOFaultPlan(plan) else { throw SwapLoad.Lost(description: "no plan") }
    let pair = try Pair(options: .init(faults: plan))
    try pair.fill(growing ? SwapFile.growthStep - 4 : 40)
    let copy: SwapFile
    do throws(SwapError) { copy = try pair.makeCopy() } catch {
      try FileMirrorTests.check(try !pair.copyPlace.directory.exists("copy"), "what was made is removed")
      return .refused(error)
    }
    let load = try SwapLoad(pair.swap, threads: 3)
    try load.start(seed: 5, limit: 15, growing: growing)
    let mirror: FileMirror
    do throws(SwapError) {
      mirror = try pair.swap.startMirror(to: copy, chunk: growing ? 1024 : 4)
    } catch {
      // The file has grown since the copy was made.
      try load.serve { true }
      return .refused(error)
    }
    try load.serve { load.count >= 45 }
    try FileMirrorTests.wait(pair.swap, until: "it sleeps or has failed") { _ in
      mirror.status.state == .sleeping || mirror.status.state == .exited
    }
    // From here on each write goes to both.
    let deadline = try SwapLoad(pair.swap, threads: 3)
    try deadline.start(seed: 6, limit: 15, growing: growing)
    try deadline.serve { deadline.count >= 45 }
    try FileMirrorTests.wait(pair.swap, until: "it sleeps or has failed") { _ in
      (mirror.status.state == .sleeping || mirror.status.state == .exited) && pair.swap.inFlight == 0
    }
    try FileMirrorTests.check(try pair.lost(load.content) == [])
    try FileMirrorTests.check(try pair.lost(deadline.content) == [])
    try pair.swap.bitmap.recount()
    do throws(CopyFailure) { try mirror.finish() } catch {
      try FileMirrorTests.check(mirror.status.state == .exited && mirror.status.failure == error)
      try FileMirrorTests.waitForClose(copy, of: pair.swap)
      // The file is used as before.
      try pair.fill(50)
      return .failed(error)
    }
    try FileMirrorTests.check(try pair.differences().used == [])
    mirror.cancel()
    try FileMirrorTests.waitForClose(copy, of: pair.swap)
    return .copied
  }

  /// Lets the first, the second, … of an operation fail, until there are no more of it; answers how many failed.
  private static func everyOne(of operation: String, reason: String, from first: Int, growing: Bool = false)
    throws
    -> Int
  {
    for number in first..<first + 2000 {
      let end = try copy(under: "\(operation):\(number):\(reason)", growing: growing)
      switch end {
      case .copied: return number - first
      case .failed(let failure):
        let cause = failure.cause?.description ?? "\(failure)"
        try FileMirrorTests.check(
          cause.contains("number \(number), by plan"), "\(operation) \(number): \(failure)")
        let isOriginal = if case .original = failure { true } else { false }
        try FileMirrorTests.check(isOriginal == (operation == "write"))
      case .refused(let error):
        try FileMirrorTests.check(operation == "copy-grow", "\(error)")
        guard case .full = error else { throw error }
      }
    }
    throw SwapLoad.Lost(description: "\(operation) has no end")
  }

  @Test func everyWriteOfTheCopyMayFail() async {
    await FileMirrorTests.run {
      let count = try Self.everyOne(of: "copy-write", reason: "EIO", from: 1)
      print("\(count) writes of the copy failed")
      try FileMirrorTests.check(count > 10)
    }
  }

  @Test func everyPartOfTheCopyingMayFail() async {
    await FileMirrorTests.run {
      let count = try Self.everyOne(of: "copy-move", reason: "EIO", from: 1)
      print("\(count) parts of the copying failed")
      try FileMirrorTests.check(count >= 10)
    }
  }

  @Test func everyGrowthOfTheCopyMayFail() async {
    await FileMirrorTests.run {
      let count = try Self.everyOne(of: "copy-grow", reason: "ENOSPC", from: 1, growing: true)
      print("\(count) growths of the copy failed")
      try FileMirrorTests.check(count >= 2)
    }
  }

  @Test func everyWriteOfTheOriginalMayFail() async {
    await FileMirrorTests.run {
      // The first is before the mirror.
      let count = try Self.everyOne(of: "write", reason: "EIO", from: 2)
      print("\(count) writes of the original failed")
      try FileMirrorTests.check(count > 0)
    }
  }

  /// Takes slots until the file cannot grow any more.
  private static func fillUp(_ pair: borrowing Pair) throws {
    do {
      while true { try pair.fill(1) }
    } catch let error as SwapError {
      switch error {
      case .full, .inputOutput, .readOnly: return
      default: throw error
      }
    }
  }

  /// Each step down to the smallest fails once; then there is room.
  private static let growths = ["grow:2-8:ENOSPC", "grow:2-8:EDQUOT", "grow:2:EIO", "grow:2:EROFS"]

  @Test(arguments: growths, [UInt64?.none, 4096])
  func whereTheOriginalCannotGrowTheCopyIsCalledOff(plan: String, rate: UInt64?) async {
    await FileMirrorTests.run {
      let pair = try Pair(options: .init(faults: IOFaultPlan(plan) ?? IOFaultPlan()))
      try pair.fill(SwapFile.growthStep - 4)
      let copy = try pair.makeCopy()
      let mirror = try pair.swap.startMirror(to: copy, bytesPerSecond: rate)
      // Before it has copied much, or when it sleeps.
      if rate == nil { try FileMirrorTests.waitForSleep(mirror, of: pair.swap) }
      try Self.fillUp(pair)
      try FileMirrorTests.waitForClose(copy, of: pair.swap)
      guard case .original(let cause) = mirror.status.failure else {
        throw SwapLoad.Lost(description: "\(mirror.status)")
      }
      try FileMirrorTests.check("\(cause)".contains("by plan"), "\(cause)")
      // The next one goes well, and so does the file.
      try pair.fill(10)
      try Self.copyToEnd(pair)
    }
  }

  @Test(arguments: ["grow:2+:ENOSPC", "grow:2+:EROFS"])
  func whatCouldNotGrowBeforeIsCopiedAllTheSame(plan: String) async {
    await FileMirrorTests.run {
      let pair = try Pair(options: .init(faults: IOFaultPlan(plan) ?? IOFaultPlan()))
      try Self.fillUp(pair)
      try Self.copyToEnd(pair) { try Self.fillUp(pair) }
    }
  }

  /// It is written behind its end while it waits for its turn to grow: no length that it had before may come back.
  @Test(arguments: [0, 10] as [UInt64])
  func aCopyForWhichNoBlocksAreSetAsideHasItsWholeLengthFromTheStart(before: UInt64) async {
    await FileMirrorTests.run {
      let plan = IOFaultPlan("grow:1:EOPNOTSUPP,copy-grow:1:EOPNOTSUPP") ?? IOFaultPlan()
      let pair = try Pair(slots: 10_000, options: .init(faults: plan))
      try pair.fill(before)
      let copy = try pair.makeCopy("second")
      let file = try pair.copyPlace.directory.openFile("second", .read)
      let mirror = try pair.swap.startMirror(to: copy)
      try FileMirrorTests.waitForSleep(mirror, of: pair.swap)
      try pair.fill(1)
      try FileMirrorTests.waitForSleep(mirror, of: pair.swap)
      try FileMirrorTests.check(try file.size() == 10_001 * 4096, "\(try file.size())")
      try pair.fill(9990 - before)
      try FileMirrorTests.waitForSleep(mirror, of: pair.swap)
      try mirror.finish()
      try FileMirrorTests.check(try file.size() == 10_001 * 4096, "\(try file.size())")
      try FileMirrorTests.check(try pair.differences(from: "second").used == [])
      mirror.cancel()
      try FileMirrorTests.waitForClose(copy, of: pair.swap)
    }
  }

  /// Copies the file, and does something meanwhile.
  private static func copyToEnd(_ pair: borrowing Pair, _ body: () throws -> Void = {}) throws {
    let copy = try pair.makeCopy("second")
    let mirror = try pair.swap.startMirror(to: copy)
    try body()
    try FileMirrorTests.waitForSleep(mirror, of: pair.swap)
    try body()
    try mirror.finish()
    try FileMirrorTests.check(try pair.differences(from: "second").used == [])
    mirror.cancel()
    try FileMirrorTests.waitForClose(copy, of: pair.swap)
  }
}
