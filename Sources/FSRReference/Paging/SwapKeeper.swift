internal import FSRHandoff
internal import FSRHost
internal import FSRService
internal import FSRStorage
internal import FSRSystem
internal import Synchronization

/// The swap files that are made for a VM: which is whose, and when one may go. A disk that hangs holds up neither a handoff
/// nor its end.
final class SwapKeeper: Sendable {
  /// Nanoseconds for a handoff's end to wait for the removal of a swap file.
  private static let dropLimit: UInt64 = 3_000_000_000
  /// Seconds for a former swap file to be removed, and then for a new one to be made: together less than a coordinator
  /// waits for an answer.
  private static let settleLimit: UInt64 = 3
  private static let makeLimit: UInt64 = 5
  private static let settlePollInterval: UInt64 = 1_000_000

  private let paging: GuestPaging
  private let context: VMContext
  /// How many removals of former swap files, of the VMM before this one or of a handoff, may still be under way.
  private let isSettling: Mutex<Int>
  /// Whether a new one is being made, be it that nobody waits for it any more.
  private let isMaking = Atomic<Bool>(false)
  /// The folder's notes of swap files.
  private let notes = Mutex(())
  /// Whether the swap file was made for this VM, as the notes had it when it came to be used: whatever becomes of them.
  private let isOwn = Atomic<Bool>(false)

  /// - Parameter isSettling: whether the VMM before this one may have left files, which `settle` removes.
  init(of paging: GuestPaging, _ context: VMContext, isSettling: Bool) {
    self.paging = paging
    self.context = context
    self.isSettling = Mutex(isSettling ? 1 : 0)
  }

  /// Remembers that the swap file was made for this VM, where that is noted.
  func noteOwn() {
    guard context.folder.value.isOwnSwap(paging.configuration.swap) else { return }
    isOwn.store(true, ordering: .releasing)
  }

  /// Removes the swap file that was made for this VM, which ends: the folder's notes of it may be spoilt by now.
  func removeOwn() {
    guard isOwn.load(ordering: .acquiring) else { return }
    SwapFile.removeLeftover(paging.configuration.swap, of: context.folder.value.name, [context.identity])
  }

  /// Removes a swap file that was made for this VM and that a handoff which came to nothing made superfluous. A disk that
  /// hangs holds up neither the handoff's end nor the next one: only who wants another copy waits (`waitUntilSettled`).
  func dropCopy() {
    // Who makes one still clears up behind itself.
    guard !isMaking.load(ordering: .acquiring) else { return }
    let drop = paging.dropCopy(isOwn: context.folder.value.hasNextSwap)
    isSettling.withLock { $0 += 1 }
    settle(after: drop)
  }

  /// Removes swap files that were made for this VM and are not this VMM's, as that of the VMM that it comes after. A
  /// handoff that makes yet another waits for it (`waitUntilSettled`), the end of this one only for a while.
  ///
  /// - Parameter body: what comes first, and may take as long.
  func settle(after body: @escaping @Sendable () -> Void = {}) {
    let task: @Sendable () -> Void = { [self] in
      body()
      removeFormer()
    }
    do { _ = try BoundedTask.run("drop", until: MonotonicClock.now() + Self.dropLimit, task) } catch {
      task()
    }
  }

  private func removeFormer() {
    // The notes are one thread's at a time.
    notes.withLock { _ in context.folder.value.settleSwap(on: paging.configuration.swap) }
    noteOwn()
    isSettling.withLock { $0 -= 1 }
  }

  /// Makes the swap file that the next VMM is to have. Where its disk hangs meanwhile that is left to itself, and what
  /// comes of it is removed: the VM is free for another handoff at once, unless that one wants a copy too.
  ///
  /// - Throws: `SwapError`, `hangs` where it takes too long; `HandoffError.refused` where a former one is not settled.
  func makeCopy(at path: String, bytesPerSecond: UInt64?) throws {
    try waitUntilSettled(deadline: MonotonicClock.now() + Self.settleLimit * 1_000_000_000)
    isSettling.withLock { $0 += 1 }
    isMaking.store(true, ordering: .releasing)
    func isMade() {
      isMaking.store(false, ordering: .releasing)
      isSettling.withLock { $0 -= 1 }
    }
    let made: (file: SwapFile, isOwn: Bool)?
    do {
      made = try BoundedTask.run("copy", until: MonotonicClock.now() + Self.makeLimit * 1_000_000_000) {
        [self] in
        try context.folder.value.noteNextSwap(path)
        // Read here: the handoff's end takes the note away.
        let isOwn = context.folder.value.hasNextSwap
        return (try paging.makeCopy(at: path), isOwn)
      } late: { [self] result in
        if case .success(let made) = result { GuestPaging.drop(made.file, isOwn: made.isOwn) }
        isMaking.store(false, ordering: .releasing)
        removeFormer()
      }
    } catch {
      isMade()
      throw error
    }
    guard let made else { throw SwapError.hangs(path: path, seconds: Self.makeLimit) }
    isMade()
    paging.keepCopy(made.file, bytesPerSecond: bytesPerSecond)
  }

  private func waitUntilSettled(deadline: UInt64) throws(HandoffError) {
    while isSettling.withLock({ $0 }) > 0 {
      if MonotonicClock.now() >= deadline {
        throw .refused(
          Reason(
            "the swap file of a former handoff is still being removed, or its disk hangs",
            remedy: "try again",
            code: .deadline))
      }
      MonotonicClock.sleep(Self.settlePollInterval)
    }
  }
}
