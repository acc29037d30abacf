internal import FSRMemory
internal import FSRStorage
internal import FSRSystem
internal import Synchronization

/// The swap file as the pager's store of pages.
///
/// The pager's thread uses it. While that is frozen for a handoff another thread may put the file in that was taken
/// back (`file`).
final class SwapPages: PageStore, @unchecked Sendable {
  // Sendable, because the buffers are attached once, before the pager's thread begins.
  private let current: Mutex<SwapFile>
  private var buffers: Owned<MappedRegion>?
  /// Operations that ended before they began, and completions that were taken in a batch.
  private let ended = Mutex<[PageStoreCompletion]>([])

  init(_ file: SwapFile) { current = Mutex(file) }

  var file: SwapFile {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  func attach(_ buffers: Owned<MappedRegion>) throws { self.buffers = buffers }

  func allocate(near hint: UInt32?) throws(PageStoreError) -> UInt32 {
    do { return UInt32(try file.allocate(near: hint.map { UInt64($0) }).lowerBound) } catch {
      throw Self.meaning(of: error)
    }
  }

  func free(_ slot: UInt32) { _ = try? file.free(UInt64(slot)..<UInt64(slot) + 1) }

  func read(_ slot: UInt32, into buffer: Int) { begin(.read, slot, buffer) }
  func write(_ slot: UInt32, from buffer: Int) { begin(.write, slot, buffer) }

  private func begin(_ direction: PageTransfer.Direction, _ slot: UInt32, _ buffer: Int) {
    guard let buffers else { preconditionFailure("buffers are attached first") }
    let file = file
    do throws(SwapError) {
      let transfer = try file.transfer(
        direction, UInt64(slot)..<UInt64(slot) + 1, memory: buffers,
        offset: UInt64(buffer) * PageTransfer.pageSize, tag: UInt64(buffer))
      // As many buffers as the queue is deep: there is room.
      if try file.submit(transfer) { return }
      end(buffer, .io)
    } catch { end(buffer, Self.meaning(of: error)) }
  }

  private func end(_ buffer: Int, _ error: PageStoreError?) {
    ended.withLock { $0.append(PageStoreCompletion(buffer: buffer, error: error)) }
    try? file.event.value.signal()
  }

  func submit() {}

  func nextCompletion() -> PageStoreCompletion? {
    if let first = ended.withLock({ $0.popLast() }) { return first }
    let batch = file.completions().map { completion in
      PageStoreCompletion(
        buffer: Int(completion.tag), error: completion.failure.map { Self.meaning(of: SwapError($0)) })
    }
    return ended.withLock { ended in
      ended += batch
      return ended.popLast()
    }
  }

  var isHeldUp: Bool { file.isHeldUp }

  func watch(in poller: inout Poller, token: Int) {
    poller.watch(file.event.value.descriptor, token: token)
  }

  private static func meaning(of error: SwapError) -> PageStoreError {
    switch error {
    case .full, .outOfSlots: .full
    default: .io
    }
  }
}
