internal import FSRSystem
internal import Synchronization

/// Slots: taken, given back, and more of them as they are needed.
extension SwapFile {
  /// Slots by which the file grows, where there is room: 16 MiB.
  public static let growthStep: UInt64 = 4096
  /// The fewest by which it grows before the disk counts as full, or as many as are left to the limit: 256 KiB.
  public static let growthMinimum: UInt64 = 64

  /// Takes 1 to `wanted` adjacent slots near `hint` (`SlotBitmap.allocateRun`); the file grows where none is free.
  ///
  /// - Throws: `SwapError.full`, `outOfSlots`, `notHeld`, or what else growing meets.
  public func allocate(near hint: UInt64? = nil, upTo wanted: UInt64 = 1) throws(SwapError) -> Range<UInt64> {
    while true {
      guard isHeld else { throw .notHeld }
      if let run = bitmap.allocateRun(near: hint, upTo: wanted) { return run }
      try grow()
    }
  }

  /// Gives slots back whose content nobody needs any more; answers how many of them were in use. The caller has no
  /// transfer of them in flight.
  ///
  /// - Throws: `SwapError.notHeld`.
  @discardableResult
  public func free(_ slots: Range<UInt64>) throws(SwapError) -> UInt64 {
    guard isHeld else { throw .notHeld }
    return bitmap.free(slots)
  }

  /// Makes the file longer by a step, unless there are free slots by now.
  private func grow() throws(SwapError) {
    try growth.withLock { (growth) throws(SwapError) in
      guard isHeld else { throw .notHeld }
      if bitmap.freeCount > 0 { return }
      let count = bitmap.count
      guard count < bitmap.limit else { throw .outOfSlots(limit: bitmap.limit) }
      var step = min(Self.growthStep, bitmap.limit - count)
      while true {
        do throws(SwapError) {
          try extend(to: count + step, &growth)
          growMirror(to: count + step)
          growth.isStuck = false
          return bitmap.grow(to: count + step)
        } catch {
          guard case .full = error, step > Self.growthMinimum else {
            growthFailed(error, &growth)
            throw error
          }
          step /= 2
        }
      }
    }
  }

  /// Calls a copying off where this is news: off a disk that was full before it began, a copy is a way out.
  private func growthFailed(_ error: SwapError, _ growth: inout Growth) {
    if !growth.isStuck { mirror?.cancel(.original(error.cause)) }
    growth.isStuck = true
  }

  /// Makes the file have `count` slots; never fewer than it has.
  func extend(to count: UInt64, _ growth: inout Growth) throws(SwapError) {
    guard count > growth.slots else { return }
    let page = PageTransfer.pageSize
    let (start, end) = ((SwapHeader.pages + growth.slots) * page, (SwapHeader.pages + count) * page)
    do throws(SwapError) {
      if let failure = growth.faults.reach(.grow) { throw SwapError(failure) }
      if !growth.isSparse {
        try withFile { (file) throws(SystemError) in try file.reserveBlocks(at: start, length: end - start) }
        growth.slots = count
        return
      }
    } catch {
      guard !growth.isSparse, case .system(let cause) = error, cause.isUnsupported else { throw error }
      growth.isSparse = true
    }
    growth.slots = try lengthen(to: count)
  }

  /// Makes the file as long as it may ever be, for nothing: no blocks are set aside. Only where it may not be so long it
  /// gets `count` slots. A copy is written behind its end before its turn to grow has come, and ftruncate(2) to a length
  /// between would cut those pages off.
  ///
  /// - Returns: the slots that it has.
  private func lengthen(to count: UInt64) throws(SwapError) -> UInt64 {
    do throws(SwapError) {
      try lengthen(slots: bitmap.limit)
      return bitmap.limit
    } catch {
      guard case .full = error else { throw error }
    }
    try lengthen(slots: count)
    return count
  }

  private func lengthen(slots: UInt64) throws(SwapError) {
    try withFile { (file) throws(SystemError) in
      try file.lengthen(to: (SwapHeader.pages + slots) * PageTransfer.pageSize)
    }
  }

  // MARK: disk space

  /// Free slots that are worth a call to give their blocks back: 64 KiB.
  public static let punchMinimum: UInt64 = 16
  /// Slots whose blocks are given back in one call; meanwhile they count as used: 64 MiB.
  private static let punchLimit: UInt64 = 16384

  /// Gives the disk blocks behind free slots of `range` back, in runs of at least `punchMinimum`; answers how many slots
  /// that were. A later write there may find the disk full. Not for the way of a fault: each run is a call of its own.
  ///
  /// - Throws: `SwapError`; a file system that cannot do it is no error, and the answer 0.
  public func returnFreeBlocks(in range: Range<UInt64>) throws(SwapError) -> UInt64 {
    var returned: UInt64 = 0
    for run in bitmap.freeRuns(in: range) where run.upperBound - run.lowerBound >= Self.punchMinimum {
      for start in stride(from: run.lowerBound, to: run.upperBound, by: Int(Self.punchLimit)) {
        let wanted = start..<min(run.upperBound, start + Self.punchLimit)
        guard let count = try punch(wanted) else { return returned }
        returned += count
      }
    }
    return returned
  }

  /// Answers nil where the file system has no such thing.
  private func punch(_ wanted: Range<UInt64>) throws(SwapError) -> UInt64? {
    guard isHeld else { throw .notHeld }
    // Taken meanwhile, so that nobody's page goes with them.
    guard let slots = bitmap.take(wanted) else { return 0 }
    defer { bitmap.free(slots) }
    let page = PageTransfer.pageSize
    let count = slots.upperBound - slots.lowerBound
    do throws(SwapError) {
      try withFile { (file) throws(SystemError) in
        try file.punchHole(at: (SwapHeader.pages + slots.lowerBound) * page, length: count * page)
      }
    } catch {
      if case .system(let cause) = error, cause.isUnsupported { return nil }
      throw error
    }
    return count
  }
}
