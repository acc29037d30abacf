package import FSRSystem
internal import Synchronization

/// The urgency that a switch gives to one thread, and takes back: the thread is scheduled afterwards as it was before,
/// whoever had seen to that.
package final class Urgency: Sendable {
  private let kept = Mutex<ThreadStanding?>(nil)

  package init() {}

  /// How the thread will be scheduled again; nil while it is not urgent.
  var before: ThreadStanding? { kept.withLock { $0 } }

  /// Makes the thread real-time, where that is allowed, and pins it. Nothing happens where it is urgent already.
  ///
  /// - Parameters:
  ///   - processor: where it is pinned to, if it may run there; if not, it is pinned to the one of its own whose turn it is.
  ///   - next: how it is scheduled afterwards instead.
  package func begin(
    _ thread: Int32, priority: Int32, on processor: Int? = nil, turn: Int = 0,
    returningTo next: ThreadStanding? = nil
  ) {
    guard before == nil, let now = try? ThreadStanding.of(thread) else { return }
    var back = next ?? now
    let own = back.cpus.cpus
    if next == nil { try? back.followGroup(of: thread) }
    kept.withLock { [back] in $0 = back }
    // Urgency first: moved as an ordinary thread, it would queue behind whatever runs there. One that somebody has made
    // real-time is urgent, and might not be let back where it was.
    if !now.isRealTime { _ = try? Scheduling.setFIFO(priority: priority, of: thread) }
    guard let processor, !own.isEmpty else { return }
    let place = own.contains(processor) ? processor : own[turn % own.count]
    try? Scheduling.setAffinity(CPUSet([place]), of: thread)
  }

  /// Takes it back, once.
  package func end(_ thread: Int32) {
    let before = kept.withLock { kept in
      defer { kept = nil }
      return kept
    }
    guard let before else { return }
    // Without the right to what somebody with more of it has chosen, it is an ordinary one.
    do { try before.apply(to: thread) } catch { try? Scheduling.setNormal(of: thread) }
  }
}
