public import FSRSystem

/// Pages a guest's memory: one thread that answers its faults and keeps it within its limit.
///
/// Every mapping of pageable memory is watched (`watch`) before anybody touches it. The source of a handoff calls `quiesce`
/// while the guest runs; stops the vCPUs, whose faults are answered until they stand; then `freeze`. From there on its page
/// table, cache and slots do not change. As the victor it goes on with `thaw`; as the loser it calls `end`, and nobody of
/// its process touches pageable memory any more. The destination adopts page table and cache, looks through them by a
/// `PageTableSurvey`, maps ahead by `mapAhead`, and makes a `MemoryPager` that waits until it owns the guest (`begin`).
public final class MemoryPager: Sendable {
  /// Where each page is.
  public let table: PageTable
  private let control: PagerControl
  private let loop: PagerLoop
  private let thread: OSThread

  /// Watches the pageable range of guest memory for faults, before anybody of this process touches it.
  ///
  /// - Throws: `PagingError.noUserFault`.
  public static func watch(_ memory: GuestMemory, _ range: Range<UInt64>) throws(PagingError) -> UserFault {
    do throws(SystemError) {
      var faults = try UserFault()
      try faults.register(memory.region, range)
      return faults
    } catch { throw .noUserFault(error) }
  }

  /// Starts. From here on this process owns the page table.
  ///
  /// - Parameters:
  ///   - cache: where pages are kept compressed; nil for nowhere.
  ///   - store: where they go then; nil for nowhere. Used by the pager's thread alone.
  ///   - faults: what `watch` answered for the table's range.
  ///   - isToWait: whether the thread touches nothing before `begin`: for a destination, which has it ready by then.
  ///   - onPause: called on the pager's thread, which must not wait in it: the guest is to be paused. Pages that it
  ///     touches else are still answered.
  public init(
    memory: GuestMemory, table: PageTable, cache: consuming CompressionCache?,
    store: sending (any PageStore)?, faults: consuming UserFault, settings: PagerSettings,
    isToWait: Bool = false, onPause: @escaping @Sendable (PagerFailure) -> Void
  ) throws {
    precondition(table.range.upperBound <= memory.size, "a range of this memory")
    let control = try PagerControl()
    if isToWait { control.ask(.waiting) }
    let hands = try KernelPagerWorld(
      memory: memory, table: table, cache: cache, store: store, faults: faults, buffers: settings.buffers,
      control: control, onPause: onPause)
    let loop = PagerLoop(settings, hands: hands, table: table, control: control)
    self.table = table
    self.control = control
    self.loop = loop
    thread = try OSThread.start(name: "pager") { loop.run() }
  }

  /// The guest is here: answers its faults from now on. The first one wakes the thread, or `nudge`.
  public func begin() { control.ask(.running, isToRing: false) }

  /// Wakes the thread, where it has something to do without a fault.
  public func nudge() { control.ring() }

  /// The thread's number, for its scheduling.
  public var threadID: Int32 { thread.threadID }

  /// Holds evictions, and waits until those that were under way have ended; false when `deadline` of the monotonic clock
  /// passed first. Faults are answered, up to `PagerSettings.quiesceBound` pages beyond the limit without evictions.
  public func quiesce(deadline: UInt64) -> Bool {
    control.waitUntilQuiet(control.ask(.quiesced), deadline: deadline)
  }

  /// Brings everything to rest: when this returns no page changes its state, no operation of the store is under way, and
  /// the table says so to who has mapped it. Faults wait in the kernel from the call on.
  ///
  /// - Throws: `PagingError.late` when `deadline` passed first; `thaw` then takes it back.
  public func freeze(deadline: UInt64) throws(PagingError) {
    let number = control.ask(.freezing, isToRing: false)
    // Nearly always nothing is under way any more, and nobody needs to be woken.
    if loop.heedNow() { return }
    control.ring()
    guard table.waitUntilFrozen(deadline: deadline, { control.heeded == number }) else { throw .late }
  }

  /// Takes `quiesce` and `freeze` back.
  public func thaw() { control.ask(.running) }

  /// The guest was resumed: pages for which it was paused are tried again.
  public func guestWasResumed() { control.tellResumed() }

  /// Forgets what `pages` hold, wherever that is: they are zeros from here on. Nobody who runs the guest touches them
  /// meanwhile; others may. False where not all of it could be done: those pages are as they were.
  public func discard(_ pages: Range<UInt64>) -> Bool {
    var isDone = true
    var first = pages.lowerBound
    while first < pages.upperBound {
      // By directories, so that faults are answered in between.
      let end = min(pages.upperBound, (first / PageTable.directoryPages + 1) * PageTable.directoryPages)
      if !loop.discard(first..<end) { isDone = false }
      first = end
    }
    control.ring()
    return isDone
  }

  /// Lets so many pages be resident.
  public func setLimit(_ pages: UInt64) { control.ask(limit: max(64, pages)) }

  /// Ends the thread and waits for it. Who waits for a page goes on waiting until this object goes, which gives back
  /// what it was given; then he finds zeros. So nobody of this process touches pageable memory from here on.
  public func end() {
    control.ask(.end)
    thread.join()
  }

  /// The same for a guest that nobody goes on with: who waits for a page finds zeros, and so does everybody from here on.
  public func abandon() {
    end()
    loop.letGo()
  }

  /// How it stands.
  public var status: PagerStatus {
    PagerStatus(
      pages: table.counts, trouble: control.trouble, quiesceWasOverrun: control.wasOverrun,
      counters: PagerCount.allCases.map { control.counter($0) })
  }

  /// Nanoseconds from the pager's reading of a fault to its answer, of those answered since `cursor`, which goes on; of
  /// the last 8192 at most. A cursor begins at 0.
  public func latencies(after cursor: inout UInt64) -> [UInt32] { control.latencies(after: &cursor) }
}

/// How a pager stands.
public struct PagerStatus: Sendable, Hashable {
  public let pages: PageCounts
  /// Why nothing can be written to the store.
  public let trouble: PageStoreError?
  /// Whether the guest used up a quiesce's bound.
  public let quiesceWasOverrun: Bool
  let counters: [UInt64]

  /// How often that happened since the pager began.
  public subscript(_ event: PagerCount) -> UInt64 { counters[event.rawValue] }
}

extension MemoryPager {
  /// Maps the pages that are resident into this process ahead, where the range is watched and no pager has started yet.
  ///
  /// - Parameter isToEnd: asked before each directory.
  public static func mapAhead(_ table: PageTable, _ faults: borrowing UserFault, isToEnd: () -> Bool)
    throws(SystemError)
  {
    var next = table.nextResident(from: 0)
    while let first = next, !isToEnd() {
      let end = min(table.pageCount, (first / PageTable.directoryPages + 1) * PageTable.directoryPages)
      var page = first
      while page < end {
        var last = page
        while last < end, table.state(of: last) == .resident { last += 1 }
        try mapAhead(table.range.lowerBound, page..<last, faults)
        page = last + 1
      }
      next = table.nextResident(from: end)
    }
  }

  /// A page that has left meanwhile, or is mapped already, is passed over.
  private static func mapAhead(_ start: UInt64, _ pages: Range<UInt64>, _ faults: borrowing UserFault)
    throws(SystemError)
  {
    var page = pages.lowerBound
    while page < pages.upperBound {
      let progress = try faults.continuePages(
        start + page * PageTable.pageSize, count: (pages.upperBound - page) * PageTable.pageSize)
      page += progress.mapped / PageTable.pageSize
      switch progress.end {
      case .done: return
      case .hole, .wasMapped: page += 1
      case .again where progress.mapped == 0: page += 1
      case .again: break
      }
    }
  }
}
