import FSRMemory
import FSRSystem
import FSRTestSupport
import Synchronization

/// A page store in memory, whose operations end in an order of chance that a seed repeats, and fail where they are told to.
///
/// Used by one pager's thread at a time; what a test looks at lies behind a lock.
final class MemoryPageStore: PageStore, Sendable {
  struct State {
    var pages: [UInt32: [UInt8]] = [:]
    var used: Set<UInt32> = []
    var underWay: [(buffer: Int, slot: UInt32, isWrite: Bool)] = []
    var buffers: Owned<MappedRegion>?
    var random: SeededGenerator
    var begun = 0
    /// Numbers of operations that fail, counted from 1.
    var failing: Set<Int> = []
    var failingBuffers: Set<Int> = []
    var isBroken = false
    /// What was done that a page store forbids.
    var misuse: String?
  }

  let slots: UInt32
  private let state: Mutex<State>
  private let ended: EventDescriptor

  /// Whether no event tells of what has ended, as where the kernel had no room for what was begun.
  private let isSilent: Bool

  init(slots: UInt32, seed: UInt64, failing: Set<Int> = [], isSilent: Bool = false) throws {
    self.slots = slots
    self.isSilent = isSilent
    state = Mutex(State(random: SeededGenerator(seed: seed)))
    ended = try EventDescriptor()
    state.withLock { $0.failing = failing }
  }

  var used: Int { state.withLock { $0.used.count } }
  var misuse: String? { state.withLock { $0.misuse } }
  func setBroken(_ isBroken: Bool) { state.withLock { $0.isBroken = isBroken } }

  func attach(_ buffers: Owned<MappedRegion>) throws {
    state.withLock {
      if !$0.underWay.isEmpty { $0.misuse = "attached with operations under way" }
      $0.buffers = buffers
    }
  }

  func allocate(near hint: UInt32?) throws(PageStoreError) -> UInt32 {
    let slot: UInt32? = state.withLock { state in
      var slot = (hint ?? 0) % slots
      for _ in 0..<slots {
        if state.used.insert(slot).inserted { return slot }
        slot = (slot + 1) % slots
      }
      return nil
    }
    guard let slot else { throw .full }
    return slot
  }

  func free(_ slot: UInt32) {
    state.withLock { state in
      if state.used.remove(slot) == nil { state.misuse = "slot \(slot) freed twice" }
      if state.underWay.contains(where: { $0.slot == slot }) { state.misuse = "slot \(slot) freed in use" }
      state.pages[slot] = nil
    }
  }

  private func begin(_ buffer: Int, _ slot: UInt32, isWrite: Bool) {
    state.withLock { state in
      if !state.used.contains(slot) { state.misuse = "slot \(slot) is free and used" }
      if state.underWay.contains(where: { $0.buffer == buffer }) {
        state.misuse = "a buffer with two operations"
      }
      state.begun += 1
      if state.failing.contains(state.begun) || state.isBroken { state.failingBuffers.insert(buffer) }
      state.underWay.append((buffer, slot, isWrite))
    }
  }

  func read(_ slot: UInt32, into buffer: Int) { begin(buffer, slot, isWrite: false) }
  func write(_ slot: UInt32, from buffer: Int) { begin(buffer, slot, isWrite: true) }

  func submit() {
    let isAny = state.withLock { !$0.underWay.isEmpty }
    if isAny, !isSilent { try? ended.signal() }
  }

  /// One in three times none has ended yet, though the flag was up.
  func nextCompletion() -> PageStoreCompletion? {
    state.withLock { state in
      guard !state.underWay.isEmpty, Int.random(in: 0..<3, using: &state.random) > 0 else {
        if state.underWay.isEmpty { _ = try? ended.clear() }
        return nil
      }
      let index = Int.random(in: 0..<state.underWay.count, using: &state.random)
      let (buffer, slot, isWrite) = state.underWay.remove(at: index)
      if state.failingBuffers.remove(buffer) != nil { return PageStoreCompletion(buffer: buffer, error: .io) }
      guard let buffers = state.buffers else { return nil }
      if isWrite {
        state.pages[slot] = buffers.value.bytes(at: UInt64(buffer) * 4096, count: 4096)
      } else if let page = state.pages[slot] {
        buffers.value.copy(page, to: UInt64(buffer) * 4096)
      } else {
        state.misuse = "slot \(slot) is read and was never written"
      }
      return PageStoreCompletion(buffer: buffer, error: nil)
    }
  }

  var isHeldUp: Bool { isSilent && state.withLock { !$0.underWay.isEmpty } }

  func watch(in poller: inout Poller, token: Int) { poller.watch(ended.descriptor, token: token) }
}
