internal import FSRHandoff
internal import FSRHost
internal import FSRMemory
internal import FSRStorage
internal import FSRSystem
internal import Logging
internal import Synchronization

/// What this process says of the guest's paging.
extension ReferenceVMM {
  /// A guest whose page cannot be brought in waits for a person: `fsr resume` tries again.
  func pageIsMissing(_ failure: PagerFailure) {
    // Before the pause: whoever resumes the guest takes both back.
    missingPage.withLock { $0 = failure }
    // A guest that is being started anew ends.
    wakeLoop()
    guest.threads.pauseForPage()
    guest.console.isPaused = true
    log.error(
      "the guest is paused: \(failure); when that is mended, `fsr resume \(guest.configuration.name)`")
  }

  /// Sees that no vCPU waits for a page in vain: it would not stop for a handoff, however long that may take.
  ///
  /// - Throws: `HandoffError.refused`, which names the page.
  func checkPages() throws(HandoffError) {
    guard let failure = missingPage.withLock({ $0 }) else { return }
    let name = guest.configuration.name
    let remedy =
      switch failure.reason {
      case .unreadable: "mend the disk, then `fsr resume \(name)`"
      case .noMemory: "free memory, then `fsr resume \(name)`"
      case .brokenEntry, .vanished: "nothing brings it back: keep the VM's log, then `fsr stop \(name)`"
      }
    throw .refused(Reason("\(failure), and the guest waits for it", remedy: remedy, code: .page))
  }

  /// Removes a swap file that was made for this VM and that a handoff which came to nothing made superfluous. A disk that
  /// hangs holds up neither the handoff's end nor the next one: only who wants another copy waits (`waitForSettledSwap`).
  func dropSwapCopy() {
    // Who makes one still clears up behind itself.
    guard let paging = guest.paging, !isMakingSwap.load(ordering: .acquiring) else { return }
    let drop = paging.dropCopy(isOwn: guest.folder.value.hasNextSwap)
    isSettling.withLock { $0 += 1 }
    settleSwap(after: drop)
  }

  /// Removes swap files that were made for this VM and are not this VMM's, as that of the VMM that it comes after. A
  /// handoff that makes yet another waits for it (`waitForSettledSwap`), the end of this one only for a while.
  ///
  /// - Parameter body: what comes first, and may take as long.
  func settleSwap(after body: @escaping @Sendable () -> Void = {}) {
    let task: @Sendable () -> Void = { [self] in
      body()
      removeFormerSwap()
    }
    do { _ = try BoundedTask.run("drop", until: MonotonicClock.now() + Self.dropLimit, task) } catch {
      task()
    }
  }

  private func removeFormerSwap() {
    if let paging = guest.paging {
      // The notes are one thread's at a time.
      swapNotes.withLock { _ in guest.folder.value.settleSwap(on: paging.configuration.swap) }
      noteOwnSwap()
    }
    isSettling.withLock { $0 -= 1 }
  }

  /// Remembers that the swap file was made for this VM, where that is noted.
  func noteOwnSwap() {
    guard let paging = guest.paging, guest.folder.value.isOwnSwap(paging.configuration.swap) else { return }
    isSwapOwn.store(true, ordering: .releasing)
  }

  /// Removes the swap file that was made for this VM, which ends: the folder's notes of it may be spoilt by now.
  func removeOwnSwap() {
    guard let paging = guest.paging, isSwapOwn.load(ordering: .acquiring) else { return }
    SwapFile.removeLeftover(paging.configuration.swap, of: guest.configuration.name, [block.machine])
  }

  /// Nanoseconds for a handoff's end to wait for the removal of a swap file.
  private static let dropLimit: UInt64 = 3_000_000_000
  /// Seconds for a former swap file to be removed, and then for a new one to be made: together less than a coordinator
  /// waits for an answer.
  private static let settleLimit: UInt64 = 3
  private static let makeLimit: UInt64 = 5
  /// Nanoseconds between two looks.
  private static let settlePollInterval: UInt64 = 1_000_000

  /// Makes the swap file that the next VMM is to have. Where its disk hangs meanwhile that is left to itself, and what
  /// comes of it is removed: the VM is free for another handoff at once, unless that one wants a copy too.
  ///
  /// - Throws: `SwapError`, `hangs` where it takes too long; `HandoffError.refused` where a former one is not settled.
  func makeSwapCopy(at path: String, bytesPerSecond: UInt64?, of paging: GuestPaging) throws {
    try waitForSettledSwap(until: MonotonicClock.now() + Self.settleLimit * 1_000_000_000)
    isSettling.withLock { $0 += 1 }
    isMakingSwap.store(true, ordering: .releasing)
    func isMade() {
      isMakingSwap.store(false, ordering: .releasing)
      isSettling.withLock { $0 -= 1 }
    }
    let made: (file: SwapFile, isOwn: Bool)?
    do {
      made = try BoundedTask.run("copy", until: MonotonicClock.now() + Self.makeLimit * 1_000_000_000) {
        [self] in
        try guest.folder.value.noteNextSwap(path)
        // Read here: the handoff's end takes the note away.
        let isOwn = guest.folder.value.hasNextSwap
        return (try paging.makeCopy(at: path), isOwn)
      } late: { [self] result in
        if case .success(let made) = result { GuestPaging.drop(made.file, isOwn: made.isOwn) }
        isMakingSwap.store(false, ordering: .releasing)
        removeFormerSwap()
      }
    } catch {
      isMade()
      throw error
    }
    guard let made else { throw SwapError.hangs(path: path, seconds: Self.makeLimit) }
    isMade()
    paging.keepCopy(made.file, bytesPerSecond: bytesPerSecond)
  }

  private func waitForSettledSwap(until deadline: UInt64) throws(HandoffError) {
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

  func pagingStatus() -> VMStatus.Paging? {
    guard let paging = guest.paging else { return nil }
    paging.latencies.collect(from: paging.pager)
    let status = paging.pager.status
    let slots = paging.slots
    var answer = VMStatus.Paging()
    answer.residentLimit = paging.configuration.resident
    answer.compression = paging.configuration.compression
    answer.residentPages = status.pages.resident
    answer.compressedPages = status.pages.compressed
    answer.swappedPages = status.pages.swapped
    answer.swapPath = paging.configuration.swap
    answer.slots = slots.count
    answer.usedSlots = slots.used
    answer.minorFaults = status[.minorFaults]
    answer.missingFaults = status[.missingFaults]
    answer.evictions = status[.compressions] + status[.writes] + status[.zeros]
    let now = MonotonicClock.now()
    answer.evictionsPerSecond = paging.evictions.measure(answer.evictions, at: now)
    answer.faultsPerSecond = paging.faults.measure(answer.minorFaults + answer.missingFaults, at: now)
    answer.failures = status[.failures]
    answer.readAhead = status[.readAhead]
    answer.waits = [50, 90, 99, 100].map { paging.latencies.percentile($0) ?? 0 }
    let trouble = missingPage.withLock { $0?.description } ?? status.trouble?.description
    answer.trouble = trouble ?? ""
    return answer
  }
}
