internal import FSRMemory
internal import FSRSystem
internal import Logging
internal import Synchronization

/// What this process says of the guest's paging.
extension ReferenceVMM {
  /// A guest whose page cannot be brought in waits for a person: `fsr resume` tries again.
  func pageIsMissing(_ failure: PagerFailure) {
    guest.threads.pauseWithoutWaiting()
    guest.console.isPaused = true
    log.error(
      "the guest is paused: \(failure); when that is mended, `fsr resume \(guest.configuration.name)`")
    missingPage.withLock { $0 = failure.description }
  }

  /// Removes a swap file that was made for this VM and that the last handoff made superfluous: the new one, or the old
  /// one, whose owner is gone.
  func settleSwap() {
    guard let paging = guest.paging else { return }
    paging.dropCopy(isOwn: guest.folder.value.hasNextSwap)
    guest.folder.value.settleSwap(on: paging.configuration.swap)
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
    let trouble = missingPage.withLock { $0 } ?? status.trouble?.description
    answer.trouble = trouble ?? ""
    return answer
  }
}
