package import FSRSystem
internal import Synchronization

/// A thread that does one piece of work over and over while this process owns the guest.
///
/// It rests, with nothing in flight, while the guest is given away: a guest that stays after all needs no new thread, for
/// which there might be no room any more, and the old one is what it was.
package final class PeriodicThread: Sendable {
  private enum Mode: UInt8 {
    case over, resting, working
  }

  private let name: String
  private let thread = Mutex<OSThread?>(nil)
  private let mode = Atomic<UInt8>(Mode.over.rawValue)
  /// Said by the thread when it rests, and to it when it is to go on.
  private let rested = Semaphore()
  private let goOn = Semaphore()

  package init(name: String) { self.name = name }

  package var isRunning: Bool { now == .working }

  private var now: Mode { Mode(rawValue: mode.load(ordering: .acquiring)) ?? .over }

  private func change(to new: Mode) -> Mode {
    Mode(rawValue: mode.exchange(new.rawValue, ordering: .acquiringAndReleasing)) ?? .over
  }

  /// Repeats `work` until `rest` or `stop`; nothing happens where it runs already. After a rest it is the work of before.
  package func start(_ work: @escaping @Sendable () -> Void) throws(SystemError) {
    switch change(to: .working) {
    case .working: return
    case .resting: goOn.post()
    case .over:
      let started: OSThread
      do throws(SystemError) { started = try OSThread.start(name: name) { [self] in repeatedly(work) } } catch
      {
        _ = change(to: .over)
        throw error
      }
      thread.withLock { $0 = started }
    }
  }

  private func repeatedly(_ work: () -> Void) {
    while true {
      switch now {
      case .working: work()
      case .resting:
        rested.post()
        goOn.wait()
      case .over: return
      }
    }
  }

  /// Returns when the thread does nothing until `start`. `wake` ends a wait of its work's.
  package func rest(wake: () -> Void = {}) {
    let isAsked = mode.compareExchange(
      expected: Mode.working.rawValue, desired: Mode.resting.rawValue, ordering: .acquiringAndReleasing
    ).exchanged
    guard isAsked else { return }
    wake()
    rested.wait()
  }

  /// Returns when the thread is gone. `wake` ends a wait of its work's.
  package func stop(wake: () -> Void = {}) {
    switch change(to: .over) {
    case .over: return
    case .resting: goOn.post()
    case .working: wake()
    }
    let ended = thread.withLock { thread in
      let old = thread
      thread = nil
      return old
    }
    ended?.join()
  }
}
