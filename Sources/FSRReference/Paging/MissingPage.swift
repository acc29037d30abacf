internal import FSRHandoff
internal import FSRHost
internal import FSRMemory
internal import FSRService
internal import FSRSystem
internal import Synchronization

/// A page of the guest's memory that cannot be brought in. The guest then waits for a person: `fsr resume` tries again.
final class MissingPage: Sendable {
  private let guest: ReferenceGuest
  private let context: VMContext
  /// Nil where the guest misses none.
  private let failure = Mutex<PagerFailure?>(nil)

  init(of guest: ReferenceGuest, _ context: VMContext) {
    self.guest = guest
    self.context = context
  }

  /// As a status says it.
  var trouble: String? { failure.withLock { $0?.description } }

  var isThere: Bool { failure.withLock { $0 != nil } }

  /// The pager says that one cannot be brought in.
  func note(_ failure: PagerFailure) {
    // Before the pause: whoever resumes the guest takes both back.
    self.failure.withLock { $0 = failure }
    // A guest that is being started anew ends.
    context.changed()
    guest.threads.pauseForPage()
    guest.console.isPaused = true
    context.log.error(
      "the guest is paused: \(failure); when that is mended, `fsr resume \(guest.configuration.name)`")
  }

  /// Forgets it before `unpause` lets the guest run: what the guest then meets is another failure. Where it does not run
  /// the failure is remembered.
  func clear(_ unpause: () -> PauseAnswer) -> PauseAnswer {
    let missing = failure.withLock { page in
      defer { page = nil }
      return page
    }
    let answer = unpause()
    if answer != .done { failure.withLock { $0 = $0 ?? missing } }
    return answer
  }

  /// Sees that no vCPU waits for a page in vain: it would not stop for a handoff, however long that may take.
  ///
  /// - Throws: `HandoffError.refused`, which names the page.
  func check() throws(HandoffError) {
    guard let failure = failure.withLock({ $0 }) else { return }
    let name = guest.configuration.name
    let remedy =
      switch failure.reason {
      case .unreadable: "mend the disk, then `fsr resume \(name)`"
      case .noMemory: "free memory, then `fsr resume \(name)`"
      case .brokenEntry, .vanished: "nothing brings it back: keep the VM's log, then `fsr stop \(name)`"
      }
    throw .refused(Reason("\(failure), and the guest waits for it", remedy: remedy, code: .page))
  }
}
