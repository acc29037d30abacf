import FSRMemory

/// A small world for a `Pager`: pages, slots and a cache as values, so that a test can take every next step of it.
///
/// A page's content is 0 (zeros), an odd number (does not shrink) or an even one (shrinks).
struct PagerModel: PagerWorld, Hashable {
  struct Broken: Error, CustomStringConvertible { let description: String }

  struct Operation: Hashable {
    var slot: UInt32
    var isWrite: Bool
    /// What the buffer, or the slot, held as it began.
    var value: UInt8
  }

  struct Entry: Hashable {
    var page: UInt64
    var position: UInt64
    var value: UInt8
  }

  var table: [PageState]
  /// Nil is a hole.
  var memory: [UInt8?]
  var isMapped: [Bool]
  /// What the guest wrote last.
  var written: [UInt8]
  var stands: [Bool]
  /// Faults that the kernel has not yet told of.
  var faults: Set<UInt64> = []
  var slots: [UInt8]
  var used: Set<UInt32> = []
  var cache: [Entry] = []
  var cacheRoom: Int
  var drained = 0
  var buffers: [UInt8]
  var operations: [Int: Operation] = [:]
  var isPaused = false
  /// The host refuses the next thing.
  var handFails = false
  /// The first promise that was broken.
  var broken: String?

  init(pages: Int, slots: Int, cache: Int, buffers: Int) {
    table = Array(repeating: .absent, count: pages)
    memory = Array(repeating: nil, count: pages)
    isMapped = Array(repeating: false, count: pages)
    written = Array(repeating: 0, count: pages)
    stands = Array(repeating: false, count: pages)
    self.slots = Array(repeating: 0, count: slots)
    cacheRoom = cache
    self.buffers = Array(repeating: 0, count: buffers)
  }

  private mutating func expect(_ holds: Bool, _ what: String) { if !holds, broken == nil { broken = what } }

  private mutating func fails() -> Bool {
    defer { handFails = false }
    return handFails
  }

  // MARK: books

  func state(of page: UInt64) -> PageState { table[Int(page)] }
  mutating func set(_ page: UInt64, _ state: PageState) { table[Int(page)] = state }
  var residentPages: UInt64 { UInt64(table.count { $0 == .resident }) }
  var pageCount: UInt64 { UInt64(table.count) }
  func nextResident(from page: UInt64) -> UInt64? {
    table.indices.first { $0 >= Int(page) && table[$0] == .resident }.map(UInt64.init)
  }

  mutating func allocateSlot(near hint: UInt32?) -> UInt32? {
    guard let slot = slots.indices.map(UInt32.init).first(where: { !used.contains($0) }) else { return nil }
    used.insert(slot)
    return slot
  }

  mutating func freeSlot(_ slot: UInt32) {
    expect(used.remove(slot) != nil, "slot \(slot) is freed twice")
    expect(!operations.values.contains { $0.slot == slot }, "slot \(slot) is freed while it is in use")
  }

  mutating func freeEntry(_ position: UInt64, of page: UInt64) {
    let index = cache.firstIndex { $0.position == position && $0.page == page }
    expect(index != nil, "an entry is freed twice")
    guard let index else { return }
    cache.remove(at: index)
    if index < drained { drained -= 1 }
  }

  var cacheIsNearlyFull: Bool { cacheRoom > 0 && cache.count == cacheRoom }

  mutating func nextEntryToDrain() -> (page: UInt64, position: UInt64)? {
    guard drained < cache.count else { return nil }
    drained += 1
    return (cache[drained - 1].page, cache[drained - 1].position)
  }

  mutating func drainEntriesAgain() { drained = 0 }

  // MARK: hands

  mutating func map(_ page: UInt64) {
    expect(memory[Int(page)] != nil, "page \(page) is mapped though it is a hole")
    isMapped[Int(page)] = true
    stands[Int(page)] = false
  }

  mutating func fillZero(_ page: UInt64) -> Bool {
    expect(memory[Int(page)] == nil, "page \(page) is filled with zeros though it is there")
    if fails() { return false }
    memory[Int(page)] = 0
    map(page)
    return true
  }

  private mutating func put(_ value: UInt8, _ page: UInt64, isMapped: Bool) -> Bool {
    expect(memory[Int(page)] == nil, "page \(page) is put where one is")
    if fails() { return false }
    memory[Int(page)] = value
    if isMapped { map(page) }
    return true
  }

  mutating func place(_ page: UInt64, from buffer: Int, isMapped: Bool) -> Bool {
    put(buffers[buffer], page, isMapped: isMapped)
  }

  mutating func expand(_ page: UInt64, _ position: UInt64) -> Expansion {
    guard let entry = cache.first(where: { $0.position == position && $0.page == page }) else {
      expect(false, "page \(page) is not in the cache")
      return .broken
    }
    return put(entry.value, page, isMapped: true) ? .placed : .noMemory
  }

  mutating func unpack(_ page: UInt64, _ position: UInt64, into buffer: Int) -> Bool {
    guard let entry = cache.first(where: { $0.position == position && $0.page == page }) else { return false }
    expect(operations[buffer] == nil, "a buffer in use is filled")
    buffers[buffer] = entry.value
    return true
  }

  mutating func unmap(_ first: UInt64, count: UInt64) -> Bool {
    if fails() { return false }
    for page in first..<first + count { isMapped[Int(page)] = false }
    return true
  }

  mutating func pack(_ page: UInt64, into buffer: Int) -> Packing {
    expect(!isMapped[Int(page)], "page \(page) is packed while the guest may write it")
    expect(operations[buffer] == nil, "a buffer in use is filled")
    guard let value = memory[Int(page)] else {
      expect(false, "page \(page) is packed though it is a hole")
      return .failed
    }
    buffers[buffer] = value
    if value == 0 { return .zero }
    if value % 2 == 1 || cache.count >= cacheRoom { return .raw }
    let taken = Set(cache.map(\.position))
    let position = (0...UInt64(cacheRoom)).first { !taken.contains($0) } ?? 0
    cache.append(Entry(page: page, position: position, value: value))
    return .kept(position)
  }

  mutating func punch(_ page: UInt64) -> Bool {
    expect(!isMapped[Int(page)], "page \(page) is punched while the guest may write it")
    if fails() { return false }
    memory[Int(page)] = nil
    return true
  }

  mutating func read(_ slot: UInt32, into buffer: Int) {
    expect(operations[buffer] == nil, "a buffer has two operations")
    expect(used.contains(slot), "a free slot is read")
    operations[buffer] = Operation(slot: slot, isWrite: false, value: slots[Int(slot)])
  }

  mutating func write(_ slot: UInt32, from buffer: Int) {
    expect(operations[buffer] == nil, "a buffer has two operations")
    expect(used.contains(slot), "a free slot is written")
    expect(!operations.values.contains { $0.slot == slot }, "a slot has two operations")
    // Until it ends, the slot may hold anything.
    slots[Int(slot)] = 0xff
    operations[buffer] = Operation(slot: slot, isWrite: true, value: buffers[buffer])
  }

  mutating func pauseGuest(_ failure: PagerFailure) { isPaused = true }
  mutating func count(_ event: PagerCount) {}
}
