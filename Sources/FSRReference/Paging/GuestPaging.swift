package import FSRHandoff
package import FSRHost
package import FSRMemory
package import FSRState
internal import FSRStorage
package import FSRSystem
internal import Synchronization

/// A guest that lives in less memory than it has: its page table, compression cache, swap file, and this process's pager.
///
/// All that says where a page is lies in memory that goes to the next owner as descriptors; so does a reference to the swap
/// file, which the next owner opens and locks itself.
package final class GuestPaging: Sendable {
  enum Slot {
    static let pages = "page-table"
    static let cache = "compression-cache"
    static let slots = "swap-slots"
    static let swap = "swap-file"
    /// Only held: a coordinator's copy keeps other VMs off the file until a successor has joined.
    static let claim = "swap-claim"
  }
  /// The manifest's section that describes the swap file.
  static let swapSection = "swap"
  /// Nanoseconds for what is under way to end ahead of the stun.
  private static let quiesceLimit: UInt64 = 5_000_000_000
  /// Nanoseconds for the pager to come to rest in the stun, when nothing is under way any more.
  private static let freezeLimit: UInt64 = 100_000_000
  /// Transfers under way at once: one for each of the pager's buffers.
  private static let depth = 128
  /// Above the vCPUs' in a switch: who stands still in a fault keeps all others waiting.
  private static let urgency: Int32 = 5
  /// Slots beyond one for each page: a page has two while it is written anew.
  private static let spareSlots: UInt64 = 256

  let configuration: PagingConfiguration
  package let table: PageTable
  /// What the pager's thread is made of, until it is started.
  private struct Parts: ~Copyable {
    let memory: GuestMemory
    let cache: CompressionCache?
    let faults: UserFault

    consuming func start(
      _ table: PageTable, _ swap: SwapPages, _ settings: PagerSettings, isToWait: Bool,
      _ onPause: @escaping @Sendable (PagerFailure) -> Void
    ) throws -> MemoryPager {
      try MemoryPager(
        memory: memory, table: table, cache: cache, store: swap, faults: faults, settings: settings,
        isToWait: isToWait, onPause: onPause)
    }
  }

  private let parts: Mutex<Parts?>
  private let started = Mutex<MemoryPager?>(nil)
  /// Of the faults answered by this process.
  let latencies = FaultLatencies()
  let evictions = EventRate(since: MonotonicClock.now())
  let faults = EventRate(since: MonotonicClock.now())
  private let cache: Owned<OwnedDescriptor>?
  let swap: SwapPages
  /// The destination's own swap file, while a handoff makes one.
  let copying = Mutex<Copying?>(nil)
  private let survey: Mutex<PageTableSurvey?>
  /// Of the pager's thread, in a switch.
  private let pagersUrgency = Urgency()
  private let failures: PagingFailures

  /// Where the pager tells that the guest must wait.
  package func onFailure(_ body: @escaping @Sendable (PagerFailure) -> Void) { failures.listen(body) }

  private init(
    _ configuration: PagingConfiguration, memory: GuestMemory, table: PageTable,
    cache: consuming CompressionCache?, file: SwapFile, faults: consuming UserFault,
    survey: consuming PageTableSurvey?
  ) throws {
    self.configuration = configuration
    self.table = table
    self.survey = Mutex(survey)
    let failures = PagingFailures()
    self.failures = failures
    var kept: Owned<OwnedDescriptor>?
    if let duplicate = try cache?.descriptor.duplicate() { kept = Owned(duplicate) }
    self.cache = kept
    let swap = SwapPages(file)
    self.swap = swap
    parts = Mutex(Parts(memory: memory, cache: cache, faults: faults))
  }

  /// Starts the pager's thread, which has the rights of the one that calls this. Memory may be touched from here on.
  ///
  /// - Parameter isToWait: whether it touches nothing before `begin`.
  package func start(isToWait: Bool) throws {
    let failures = failures
    var settings = PagerSettings(
      limit: (configuration.resident - table.range.lowerBound) / PageTable.pageSize)
    settings.buffers = Self.depth
    let pager = try parts.withLock { parts in
      guard let taken = parts.take() else { preconditionFailure("started once") }
      return try taken.start(table, swap, settings, isToWait: isToWait) { failures.note($0) }
    }
    if isToWait { pagersUrgency.begin(pager.threadID, priority: Self.urgency) }
    started.withLock { $0 = pager }
  }

  /// Once it is started.
  package var pager: MemoryPager {
    guard let pager = started.withLock({ $0 }) else { preconditionFailure("the pager is started first") }
    return pager
  }

  private static func options(_ configuration: PagingConfiguration) -> SwapFile.Options {
    SwapFile.Options(depth: depth, faults: IOFaultPlan(configuration.faults) ?? IOFaultPlan())
  }

  /// Begins with memory that nobody has touched.
  ///
  /// - Throws: `PagingError`, `SwapError`.
  package convenience init(
    starting configuration: PagingConfiguration, memory: GuestMemory, reserve: UInt64, vm: String,
    identity: MachineIdentity
  ) throws {
    let range = reserve..<memory.size
    let faults = try MemoryPager.watch(memory, range)
    let table = try PageTable(range: range)
    let file = try SwapFile.open(
      configuration.swap, header: SwapHeader(vm: vm, identity: identity),
      slotLimit: min(SlotBitmap.slotLimit, table.pageCount + Self.spareSlots),
      options: Self.options(configuration))
    let cache =
      configuration.compression > 0 ? try CompressionCache(capacity: configuration.compression) : nil
    try self.init(
      configuration, memory: memory, table: table, cache: cache, file: file, faults: faults, survey: nil)
  }

  // MARK: giving it away

  /// Adds to what the guest consists of.
  package func describe(into description: inout GuestDescription) throws {
    let file = nextFile
    description.references.insert(Slot.swap)
    description.written.insert(Slot.claim)
    description.add(Slot.pages, try table.descriptor.duplicate())
    description.add(Slot.slots, try file.bitmap.descriptor.duplicate())
    description.add(Slot.swap, try file.makeReference())
    description.add(Slot.claim, try file.makeClaim())
    if let cache { description.add(Slot.cache, try cache.value.duplicate()) }
    description.manifest.sections.append(
      StateSection(name: Self.swapSection, version: 1, payload: file.description.encoded))
  }

  /// This process's part in the swap file, as `describe` gives it.
  func makeClaim() throws -> OwnedDescriptor { try swap.file.makeClaim() }

  /// Holds evictions, and sees the writes end that are under way. The guest still runs.
  package func quiesce() throws {
    guard pager.quiesce(deadline: MonotonicClock.now() + Self.quiesceLimit) else { throw PagingError.late }
    pagersUrgency.begin(pager.threadID, priority: Self.urgency)
    nextFile.rehearseLock()
  }

  /// Brings everything to rest; the vCPUs stand.
  package func freeze() throws { try pager.freeze(deadline: MonotonicClock.now() + Self.freezeLimit) }

  /// Gives the lock of the swap file back that the next owner is to have.
  package func release() { nextFile.release() }

  /// Takes the swap file again after a handoff that came to nothing; false while somebody else has it.
  package func reacquire() -> Bool {
    if swap.file.isHeld { return true }
    guard let file = try? swap.file.reopened(), (try? file.lock()) != nil else { return false }
    swap.file = file
    return true
  }

  /// Goes on: the guest is here.
  package func thaw() {
    pager.thaw()
    pagersUrgency.end(pager.threadID)
  }

  // MARK: taking it

  /// Gets ready for a guest that another process still pages: watches its memory, looks through its page table, maps ahead
  /// what is there, and opens the swap file.
  ///
  /// - Parameter progress: told up to which offset of memory it has come.
  package convenience init(
    adopting configuration: PagingConfiguration, memory: GuestMemory, reserve: UInt64,
    swap section: StateSection,
    take: (String) throws -> OwnedDescriptor
  ) throws {
    let range = reserve..<memory.size
    let faults = try MemoryPager.watch(memory, range)
    let table = try PageTable(adopting: try take(Slot.pages), range: range)
    let cache = configuration.compression > 0 ? try CompressionCache(adopting: try take(Slot.cache)) : nil
    let bitmap = try SlotBitmap(adopting: try take(Slot.slots))
    let file = try SwapFile(
      reopening: try take(Slot.swap), description: SwapDescription(decoding: section.payload), bitmap: bitmap,
      options: Self.options(configuration))
    var survey = try PageTableSurvey(of: table)
    try survey.look(at: PagingPlaces?.none)
    try MemoryPager.mapAhead(table, faults) { false }
    try self.init(
      configuration, memory: memory, table: table, cache: cache, file: file, faults: faults, survey: survey)
  }

  /// Looks at what has changed since the last look, so that less is left for the stun, and goes the way of `take` and
  /// `verify` as far as that can be, so that nothing is done there for the first time.
  package func rehearse() {
    let file = swap.file
    file.rehearseLock()
    // What is broken now is found broken at the end too, and said then.
    _ = try? survey.withLock { survey throws(PagingError) in
      try survey?.look(at: PagingPlaces?.none)
      try survey?.agree()
    }
  }

  /// Takes the swap file's lock; false while the source has it, or its last writes are not done.
  package func take() -> Bool { swap.file.isHeld || (try? swap.file.lock()) != nil }

  /// Checks what the source left: the table at rest, every directory that changed, and the sums.
  ///
  /// - Parameter told: how many pages are where, as the source's checkpoint has it.
  /// - Throws: `PagingError`.
  package func verify(_ told: PageCounts) throws {
    guard table.isFrozen else { throw PagingError.notFrozen }
    guard told == table.counts else { throw PagingError.badCounts }
    try survey.withLock { survey throws(PagingError) in
      try survey?.look(at: PagingPlaces(bitmap: swap.file.bitmap))
      try survey?.agree()
    }
    guard swap.file.bitmap.usedCount >= table.counts.swapped else { throw PagingError.badCounts }
  }

  /// Begins to page: the guest is here.
  package func begin() { pager.begin() }

  /// The pager's thread is an ordinary one again.
  package func arrived() {
    pagersUrgency.end(pager.threadID)
    pager.nudge()
    survey.withLock { $0 = nil }
  }

  /// Makes `range` of memory zeros: whole pages by forgetting what they hold, wherever that is. The vCPUs stand.
  func clear(_ range: Range<UInt64>, of memory: GuestMemory) {
    let whole = GuestMemory.wholePages(in: range)
    guard !whole.isEmpty else { return memory.zero(range) }
    let first = (whole.lowerBound - table.range.lowerBound) / PageTable.pageSize
    let last = (whole.upperBound - table.range.lowerBound) / PageTable.pageSize
    memory.zero(range.lowerBound..<whole.lowerBound)
    // Where the host refuses, zeros are written.
    if !pager.discard(first..<last) { memory.zero(whole) }
    memory.zero(whole.upperBound..<range.upperBound)
  }

  // MARK: the end

  /// Ends the paging of a guest that nobody goes on with: a vCPU that waits for a page finds anything there. Then
  /// `close`.
  package func giveUp() { started.withLock { $0 }?.abandon() }

  /// Waits for what the swap file has under way.
  package func close() { swap.file.release() }

  /// Ends for good: the guest's memory is of no use any more.
  package func leave() {
    started.withLock { $0 }?.end()
    close()
  }

  /// Slots that there are, and those in use.
  package var slots: (count: UInt64, used: UInt64) { (swap.file.bitmap.count, swap.file.bitmap.usedCount) }
}

/// Pages that nobody can bring in, told to whoever listens, also when that was too early.
final class PagingFailures: Sendable {
  private struct State {
    var waiting: PagerFailure?
    var listener: (@Sendable (PagerFailure) -> Void)?
  }

  private let state = Mutex(State())

  func note(_ failure: PagerFailure) {
    let listener = state.withLock { state in
      if state.listener == nil { state.waiting = failure }
      return state.listener
    }
    listener?(failure)
  }

  func listen(_ body: @escaping @Sendable (PagerFailure) -> Void) {
    let early = state.withLock { state in
      state.listener = body
      defer { state.waiting = nil }
      return state.waiting
    }
    if let early { body(early) }
  }
}

/// What a page table at rest may name. Before, a slot may be taken a moment after a page was said to be in it.
struct PagingPlaces: PagePlaces {
  let bitmap: SlotBitmap

  func holds(slot: UInt32) -> Bool { bitmap.isUsed(UInt64(slot)) }
  /// Entries are checked as they are used.
  func holds(position: UInt64, of page: UInt64) -> Bool { true }
}
