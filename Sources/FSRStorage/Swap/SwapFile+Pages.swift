public import FSRSystem
internal import Synchronization

/// Pages on their way to the file and back.
extension SwapFile {
  /// A transfer of adjacent slots, to be submitted; at most `PageTransfer.limit` of them.
  ///
  /// Which slot a page has may be a peer's word, so that is an error; memory and offset are the caller's, and trap
  /// (`PageTransfer.init`).
  ///
  /// - Throws: `SwapError.noSuchSlot`.
  public func transfer(
    _ direction: PageTransfer.Direction, _ slots: Range<UInt64>, memory: Owned<MappedRegion>, offset: UInt64,
    tag: UInt64
  ) throws(SwapError) -> PageTransfer {
    let count = bitmap.count
    guard slots.upperBound <= count else { throw .noSuchSlot(slots.upperBound - 1, count: count) }
    let pages = (slots.lowerBound + SwapHeader.pages)..<(slots.upperBound + SwapHeader.pages)
    return PageTransfer(direction, pages: pages, memory: memory, offset: offset, tag: tag)
  }

  /// Starts as many of `transfers`, from the first on, as there is room for; answers how many.
  ///
  /// - Throws: `SwapError.notHeld` before `lock` and after `release`.
  public func submit(_ transfers: some Collection<PageTransfer>) throws(SwapError) -> Int {
    guard isHeld else { throw .notHeld }
    do throws(SystemError) { return try route(transfers) } catch {
      // Released in between.
      throw isHeld ? SwapError(error) : .notHeld
    }
  }

  /// Starts one; false where there is no room for it now.
  public func submit(_ transfer: PageTransfer) throws(SwapError) -> Bool {
    try submit(CollectionOfOne(transfer)) == 1
  }

  /// Transfers whose end is not known yet.
  public var inFlight: Int {
    routing.withLock { routing in queue.inFlight + (routing.mirror.map { $0.pending } ?? 0) }
  }

  /// Whether the kernel had no room for a transfer: taking completions asks it again, and no event tells when.
  public var isHeldUp: Bool { queue.isHeldUp }

  /// For a `Poller`: readable when there are completions to take, and now and then when there are none.
  public var event: Owned<EventDescriptor> { queue.event }

  /// Takes the completions that are there; never waits. What a failure means, `SwapError.init` says.
  public func completions() -> [PageCompletion] { sort(queue.completions()) }

  /// Nanoseconds until it is looked again at what a mirror still has.
  private static let pollInterval: UInt64 = 5_000_000

  /// Takes completions, waiting for at least one; empty when nothing is in flight or `timeout` nanoseconds passed.
  public func wait(timeout: UInt64? = nil) throws(SwapError) -> [PageCompletion] {
    let deadline = timeout.map { MonotonicClock.now() &+ $0 }
    while true {
      let ended = completions()
      if !ended.isEmpty || inFlight == 0 { return ended }
      let now = MonotonicClock.now()
      if let deadline, now >= deadline { return [] }
      let left = deadline.map { $0 - now }
      let isMirrored = routing.withLock { $0.mirror != nil }
      let more = try SwapError.translating { () throws(SystemError) in
        // What a mirror ends without the queue is seen by looking.
        try queue.inFlight > 0
          ? queue.wait(timeout: isMirrored ? min(left ?? Self.pollInterval, Self.pollInterval) : left)
          : waitForMirror(left)
      }
      let sorted = sort(more)
      if !sorted.isEmpty { return sorted }
    }
  }

  private func waitForMirror(_ left: UInt64?) throws(SystemError) -> [PageCompletion] {
    var poller = Poller()
    poller.watch(event.value.descriptor, token: 0)
    _ = try poller.wait(timeout: min(left ?? Self.pollInterval, Self.pollInterval))
    return []
  }

  /// Waits until nothing is in flight; answers the completions that nobody had taken.
  @discardableResult
  public func drain() throws(SwapError) -> [PageCompletion] {
    var all: [PageCompletion] = []
    repeat { all += try wait() } while inFlight > 0
    return all
  }
}
