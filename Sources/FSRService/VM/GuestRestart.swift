internal import FSRState
internal import FSRSystem
internal import Synchronization

/// Starts a guest anew that has asked for a reset, by a thread of its own: vCPUs that are to stand, and the reset itself, may
/// wait for pages. A handoff under way goes on, and its switch waits for the guest's start.
final class GuestRestart: Sendable {
  private enum State {
    case none, underWay
    /// It cannot be, or the VM ends.
    case impossible
  }

  /// What becomes of a guest that may have ended itself.
  enum Course {
    case goesOn, ends
  }

  /// Nanoseconds between two tries where there is no thread, and for vCPUs to stand before it is looked again.
  private static let interval: UInt64 = 50_000_000
  private static let standLimit: UInt64 = 1_000_000_000

  /// Nil where this VMM's guests are not started anew.
  private let vm: (any RestartingVM)?
  private let context: VMContext
  private let history: HistoryKeeper
  private let state = Mutex(State.none)
  /// Whether it was said that no thread is left.
  private let isShortOfThreads = Atomic<Bool>(false)

  init(of vm: any ManagedVM, _ context: VMContext, _ history: HistoryKeeper) {
    self.vm = vm as? any RestartingVM
    self.context = context
    self.history = history
  }

  private var ending: GuestEnding { context.ending }

  /// Whether the guest has asked for a reset, and that can be served.
  var isAwaited: Bool { ending.value.map(isServed) ?? false }

  /// Whether the guest has come to its end for good.
  var hasEndedForGood: Bool { ending.value.map { !isServed($0) } ?? false }

  /// Whether `end` is a reset that can be served. Of an end that was read once: a reset that is done forgets it.
  private func isServed(_ end: GuestEnd) -> Bool {
    guard end == .reset, let vm, vm.canRestart else { return false }
    return state.withLock { $0 != .impossible }
  }

  /// How long until the next try, in nanoseconds; nil where no reset waits for one.
  var retry: UInt64? { isAwaited && state.withLock { $0 == .none } ? Self.interval : nil }

  /// No reset is served any more: the VM ends.
  func end() { state.withLock { $0 = .impossible } }

  /// Looks whether the guest has ended itself, and begins to start it anew where it is to be.
  func look() -> Course {
    guard let end = ending.value else { return .goesOn }
    guard isServed(end), let vm else { return .ends }
    return state.withLock { state in
      switch state {
      case .impossible: return .ends
      case .underWay: return .goesOn
      case .none:
        // Started anew since it was asked.
        if ending.value == nil { return .goesOn }
        do throws(SystemError) {
          _ = try OSThread.start(name: "reset", detached: true) { [self] in
            if !restart(vm) { self.end() }
            ending.wake()
          }
          state = .underWay
        } catch {
          // Tried again: the guest stands meanwhile, and loses nothing.
          if !isShortOfThreads.exchange(true, ordering: .relaxed) {
            context.log.error("the guest cannot be reset yet, which is tried again and again: \(error)")
          }
        }
        return .goesOn
      }
    }
  }

  /// False where that cannot be, or the VM ends.
  private func restart(_ vm: any RestartingVM) -> Bool {
    var outcome = RestartOutcome.late
    while outcome == .late, state.withLock({ $0 == .underWay }) {
      outcome = vm.restart(limit: Self.standLimit) {
        state.withLock { state in
          if state != .underWay { return false }
          // Before a vCPU runs: the new guest may end at once, or be handed over.
          state = .none
          isShortOfThreads.store(false, ordering: .relaxed)
          ending.clear()
          history.resets.note(at: MonotonicClock.now())
          return true
        }
      }
    }
    guard outcome == .done else { return false }
    history.tellDueResets()
    return true
  }
}
