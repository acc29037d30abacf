internal import FSRSystem
internal import Synchronization

/// The pager's thread: takes faults, ended operations and wishes, one after the other, and tells the `Pager` of them.
final class PagerLoop: @unchecked Sendable {
  // Sendable, because all of it is used in turn.
  private let turn = Mutex(())
  private var pager: Pager
  private var hands: KernelPagerWorld
  private let table: PageTable
  private let control: PagerControl
  private var poller = Poller()
  private var found: [UserFault.Fault] = []
  private var wished: UInt32 = 0
  private var resumes: UInt32 = 0
  private var watchesFaults = false

  private static let bell = 0
  private static let operations = 1
  private static let faults = 2
  /// Nanoseconds between two looks at whether it begins, where a fault came too early.
  private static let earlyPause: UInt64 = 1_000_000
  /// Nanoseconds until the kernel is asked again that had no room for an operation.
  private static let heldUpPause: UInt64 = 1_000_000

  init(_ settings: PagerSettings, hands: KernelPagerWorld, table: PageTable, control: PagerControl) {
    pager = Pager(settings)
    self.hands = hands
    self.table = table
    self.control = control
    found.reserveCapacity(128)
  }

  /// Until somebody wishes its end.
  func run() {
    poller.watch(control.bell.descriptor, token: Self.bell)
    guard waitForBeginning() else { return }
    turn.withLock { _ in
      hands.store?.watch(in: &poller, token: Self.operations)
      table.thaw()
      pager.change(to: .running, now: MonotonicClock.now(), &hands)
    }
    while let (poller, timeout) = turn.withLock({ _ in prepareToWait() }) {
      // What cannot be waited for is looked at again and again: the guest still goes on.
      let ready = (try? poller.wait(timeout: timeout)) ?? [Self.bell, Self.operations, Self.faults]
      turn.withLock { _ in take(ready) }
    }
  }

  /// Touches nothing while another process owns the page table; false where the end came first. A fault is a sign of the
  /// beginning: nobody of this process touches memory before.
  private func waitForBeginning() -> Bool {
    var both = poller
    both.watch(hands.faults.descriptor, token: Self.faults)
    var isEarly = false
    while control.wish.0 == .waiting {
      let ready = (try? (isEarly ? poller : both).wait(timeout: isEarly ? Self.earlyPause : nil)) ?? []
      if ready.contains(Self.bell) { _ = try? control.bell.clear() }
      isEarly = ready.contains(Self.faults)
    }
    return control.wish.0 != .end
  }

  /// Nil at the end; else what to wait for, and how many nanoseconds.
  private func prepareToWait() -> (Poller, timeout: UInt64?)? {
    guard heed() else { return nil }
    watchFaults(isServing)
    hands.store?.submit()
    tell()
    let now = MonotonicClock.now()
    let timeout = pager.deadline.map { $0 > now ? $0 - now : 0 }
    // What the kernel has no room for comes again soon, without an event to tell.
    let isHeldUp = hands.store?.isHeldUp ?? false
    return (poller, isHeldUp ? min(timeout ?? .max, Self.heldUpPause) : timeout)
  }

  private func take(_ ready: [Int]) {
    if ready.contains(Self.bell) { _ = try? control.bell.clear() }
    // It may have been frozen since the faults were seen.
    if ready.contains(Self.faults), isServing { takeFaults() }
    if ready.contains(Self.operations) || hands.store?.isHeldUp == true { takeCompletions() }
    if let deadline = pager.deadline, deadline <= MonotonicClock.now() {
      pager.tick(now: MonotonicClock.now(), &hands)
    }
  }

  /// Answers nobody any more: whoever waits for a page goes on. Only behind the thread's end.
  func letGo() { turn.withLock { _ in try? hands.faults.unregister(table.range) } }

  private var isServing: Bool { pager.mode == .running || pager.mode == .quiesced }

  /// Does what was wished on the calling thread, while the pager's own waits; answers whether it is frozen.
  func heedNow() -> Bool {
    turn.withLock { _ in
      guard heed() else { return false }
      tell()
      return table.isFrozen
    }
  }

  /// Has the pager forget what `pages` hold; false where it could not with all of them.
  func discard(_ pages: Range<UInt64>) -> Bool {
    turn.withLock { _ in
      defer { tell() }
      return pager.discard(pages, now: MonotonicClock.now(), &hands)
    }
  }

  /// Does what was wished; false where that is the end.
  private func heed() -> Bool {
    let now = MonotonicClock.now()
    let limit = control.limit
    if limit > 0, limit != pager.settings.limit {
      pager.settings.limit = limit
      pager.tick(now: now, &hands)
    }
    if control.resumes != resumes {
      resumes = control.resumes
      pager.resumed(now: now, &hands)
      hands.retryVanished()
    }
    let (next, number) = control.wish
    if number == wished { return true }
    wished = number
    switch next {
    case .end: return false
    case .waiting: preconditionFailure("only before the beginning")
    case .freezing:
      table.askToFreeze()
      pager.change(to: .freezing, now: now, &hands)
    case .quiesced, .running:
      // First of all, so that nobody takes the table for frozen while it changes.
      table.thaw()
      // It may be another file by now: the one that was given back is closed.
      poller.forget(token: Self.operations)
      hands.store?.watch(in: &poller, token: Self.operations)
      pager.change(to: next == .running ? .running : .quiesced, now: now, &hands)
    }
    return true
  }

  /// While frozen, faults wait in the kernel.
  private func watchFaults(_ isToWatch: Bool) {
    if isToWatch == watchesFaults { return }
    watchesFaults = isToWatch
    if isToWatch {
      poller.watch(hands.faults.descriptor, token: Self.faults)
    } else {
      poller.forget(token: Self.faults)
    }
  }

  private func tell() {
    control.tell(trouble: pager.trouble, overrun: pager.quiesceWasOverrun)
    control.tell(quiet: pager.mode != .running && pager.isQuiet)
    if pager.mode == .frozen, !table.isFrozen { table.acknowledgeFreeze() }
    control.heed(wished)
  }

  private func takeFaults() {
    found.removeAll(keepingCapacity: true)
    guard (try? hands.faults.readFaults(into: &found)) != nil else { return control.count(.failures) }
    let now = MonotonicClock.now()
    for fault in found {
      guard let page = hands.page(at: fault.offset) else { continue }
      hands.waits(for: page, since: now)
      pager.fault(page, now: now, &hands)
    }
  }

  private func takeCompletions() {
    let now = MonotonicClock.now()
    while let ended = hands.store?.nextCompletion() {
      pager.completed(ended.buffer, ended.error, now: now, &hands)
    }
  }
}
