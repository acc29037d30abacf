internal import FSRSystem

/// A `Pager`'s world as it is: guest memory, its faults, page table, cache and store.
///
/// Guest memory is read and written through its memfd, never through a mapping: a touch by the pager's own thread would
/// wait for itself.
final class KernelPagerWorld: PagerWorld {
  private let memory: GuestMemory
  private let table: PageTable
  private var cache: CompressionCache?
  let store: (any PageStore)?
  var faults: UserFault
  private let buffers: Owned<MappedRegion>
  /// The buffer behind those of the pager, for what is done at once.
  private let scratch: UInt64
  private let control: PagerControl
  private let onPause: @Sendable (PagerFailure) -> Void
  /// Since when somebody waits for a page.
  private var waits: [UInt64: UInt64] = [:]
  /// Resident pages that were holes when somebody touched them.
  private var vanished: [UInt64] = []

  /// Ring room that is kept free for what comes next: an eighth.
  private static let cacheReserve: UInt64 = 8
  /// How often the kernel is asked to map a page, where it asks to be asked again.
  private static let mapTries = 100

  init(
    memory: GuestMemory, table: PageTable, cache: consuming CompressionCache?, store: (any PageStore)?,
    faults: consuming UserFault, buffers count: Int, control: PagerControl,
    onPause: @escaping @Sendable (PagerFailure) -> Void
  ) throws {
    buffers = Owned(try MappedRegion(anonymous: UInt64(count + 1) * PageTable.pageSize))
    scratch = UInt64(count) * PageTable.pageSize
    self.memory = memory
    self.table = table
    self.cache = cache
    self.store = store
    self.faults = faults
    self.control = control
    self.onPause = onPause
    try store?.attach(buffers)
  }

  /// Of a page's first byte, in guest memory.
  private func offset(_ page: UInt64) -> UInt64 { table.range.lowerBound + page * PageTable.pageSize }
  private func offset(_ buffer: Int) -> UInt64 { UInt64(buffer) * PageTable.pageSize }

  /// The page at an offset of guest memory; nil outside the pageable range.
  func page(at offset: UInt64) -> UInt64? {
    table.range.contains(offset) ? (offset - table.range.lowerBound) / PageTable.pageSize : nil
  }

  func waits(for page: UInt64, since moment: UInt64) {
    if waits[page] == nil { waits[page] = moment }
  }

  private func served(_ page: UInt64) {
    if let since = waits.removeValue(forKey: page) {
      control.record(latency: MonotonicClock.now() - since)
    }
  }

  // MARK: books

  func state(of page: UInt64) -> PageState { table.state(of: page) ?? .absent }
  func set(_ page: UInt64, _ state: PageState) { table.set(page, state) }
  var residentPages: UInt64 { table.counts.resident }
  var pageCount: UInt64 { table.pageCount }
  func nextResident(from page: UInt64) -> UInt64? { table.nextResident(from: page) }
  func allocateSlot(near hint: UInt32?) -> UInt32? { try? store?.allocate(near: hint) }
  func freeSlot(_ slot: UInt32) { store?.free(slot) }
  func freeEntry(_ position: UInt64, of page: UInt64) { cache?.free(position, page: page) }

  var cacheIsNearlyFull: Bool {
    guard let capacity = cache?.capacity, let used = cache?.used else { return false }
    return used > capacity - capacity / Self.cacheReserve
  }

  func nextEntryToDrain() -> (page: UInt64, position: UInt64)? {
    // A ring that is broken there is drained no further; what the table names is looked up by itself.
    do { return try cache?.nextToDrain() } catch { return nil }
  }

  func drainEntriesAgain() { cache?.drainAgain() }

  // MARK: hands

  func map(_ page: UInt64) {
    let place = offset(page)
    for _ in 0..<Self.mapTries {
      guard let progress = try? faults.continuePages(place, count: PageTable.pageSize) else { break }
      switch progress.end {
      case .done: return served(page)
      case .again: continue
      case .hole:
        vanished.append(page)
        return pauseGuest(PagerFailure(page: page, reason: .vanished))
      case .wasMapped:
        wake(page)
        return served(page)
      }
    }
    // Who waits touches it again, and this is asked again.
    control.count(.failures)
    wake(page)
  }

  /// Lets who stands at a page that had gone touch it again: somebody may have put it back.
  func retryVanished() {
    let pages = vanished
    vanished = []
    for page in pages { wake(page) }
  }

  private func wake(_ page: UInt64) { try? faults.wake(offset(page), count: PageTable.pageSize) }

  func fillZero(_ page: UInt64) -> Bool {
    guard let isFilled = try? faults.zeroPages(offset(page), count: PageTable.pageSize) else { return false }
    // Where a page is already, somebody put it there who should not have; it is as good as any.
    if isFilled { served(page) } else { map(page) }
    return true
  }

  func place(_ page: UInt64, from buffer: Int, isMapped: Bool) -> Bool {
    place(page, at: offset(buffer), isMapped: isMapped)
  }

  private func place(_ page: UInt64, at source: UInt64, isMapped: Bool) -> Bool {
    do {
      try memory.descriptor.write(
        at: offset(page), count: PageTable.pageSize, from: buffers.value, at: source)
    } catch { return false }
    if isMapped { map(page) }
    return true
  }

  func expand(_ page: UInt64, _ position: UInt64) -> Expansion {
    guard unpack(page, position, at: scratch) else { return .broken }
    return place(page, at: scratch, isMapped: true) ? .placed : .noMemory
  }

  func unpack(_ page: UInt64, _ position: UInt64, into buffer: Int) -> Bool {
    unpack(page, position, at: offset(buffer))
  }

  private func unpack(_ page: UInt64, _ position: UInt64, at target: UInt64) -> Bool {
    do {
      guard cache != nil else { return false }
      try cache?.expand(position, page: page, into: buffers.value, at: target)
      return true
    } catch { return false }
  }

  func unmap(_ first: UInt64, count: UInt64) -> Bool {
    do {
      try memory.region.unmapPages(offset(first), count: count * PageTable.pageSize)
      return true
    } catch { return false }
  }

  func pack(_ page: UInt64, into buffer: Int) -> Packing {
    do {
      try memory.descriptor.read(
        at: offset(page), count: PageTable.pageSize, into: buffers.value, at: offset(buffer))
    } catch { return .failed }
    if buffers.value.isZero(offset(buffer), count: PageTable.pageSize) { return .zero }
    if case .kept(let position) = cache?.append(page: page, from: buffers.value, at: offset(buffer)) {
      return .kept(position)
    }
    return .raw
  }

  func punch(_ page: UInt64) -> Bool {
    do {
      try memory.descriptor.punchHole(at: offset(page), count: PageTable.pageSize)
      return true
    } catch { return false }
  }

  func read(_ slot: UInt32, into buffer: Int) { store?.read(slot, into: buffer) }
  func write(_ slot: UInt32, from buffer: Int) { store?.write(slot, from: buffer) }
  func pauseGuest(_ failure: PagerFailure) { onPause(failure) }
  func count(_ event: PagerCount) { control.count(event) }
}
