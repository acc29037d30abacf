internal import FSRState
internal import FSRSystem
internal import Synchronization

/// How vCPU threads are scheduled: raised for a switch, and put back to how they were.
///
/// Thread i goes to the processor on which the other VMM's thread i is pinned, so that waking it needs no other processor.
final class SwitchPriority: Sendable {
  private static let callerPriority: Int32 = 10
  private static let line: UInt64 = 64

  /// In each vCPU's cache line 1 while its thread is raised: looked at whenever it comes out of the guest.
  private let words: MappedRegion
  /// The processors that they are pinned to, in turn.
  private let processors: [Int]
  /// Of each vCPU's thread, and of the one that prepares a switch.
  private let urgencies: [Urgency]
  private let callersUrgency = Urgency()
  /// How each thread was scheduled when it was made.
  private let natural = Mutex<[Int: ThreadStanding]>([:])

  init(vcpus: Int, processors: [Int]) throws(SystemError) {
    words = try MappedRegion(anonymous: UInt64(vcpus) * Self.line)
    // Touched now: a page fault is nothing for the moments of a switch.
    words.atomicStore(UInt32(0), at: 0)
    self.processors = processors
    urgencies = (0..<vcpus).map { _ in Urgency() }
  }

  // MARK: the thread that drives a handoff

  /// Raises the vCPUs' threads, and the calling one above them: else it might not run again before they stop.
  func raise(_ threads: [Int32]) {
    callersUrgency.begin(OSThread.currentThreadID, priority: Self.callerPriority)
    for (vcpu, thread) in threads.enumerated() { raise(thread, vcpu, priority: 1, returningTo: nil) }
  }

  /// Undoes `raise`, on the thread that called that.
  func restore(_ threads: [Int32]) {
    callersUrgency.end(OSThread.currentThreadID)
    for (vcpu, thread) in threads.enumerated() { demote(thread, vcpu) }
  }

  // MARK: a vCPU's own thread

  /// Takes note of how the calling thread is scheduled, which was made for `vcpu`.
  func noteNatural(_ vcpu: Int) {
    guard let standing = try? ThreadStanding.of(OSThread.currentThreadID) else { return }
    natural.withLock { $0[vcpu] = standing }
  }

  /// Raises the calling thread, one of a destination, above the source's.
  ///
  /// - Parameter next: how it is scheduled afterwards.
  func raiseCaller(_ vcpu: Int, returningTo next: ThreadStanding?) {
    raise(OSThread.currentThreadID, vcpu, priority: vcpu == 0 ? 3 : 2, returningTo: next)
  }

  func isRaised(_ vcpu: Int) -> Bool {
    words.atomicLoadRelaxed(UInt64(vcpu) * Self.line, as: UInt32.self) == 1
  }

  func demoteCaller(_ vcpu: Int) { demote(OSThread.currentThreadID, vcpu) }

  private func raise(_ thread: Int32, _ vcpu: Int, priority: Int32, returningTo next: ThreadStanding?) {
    urgencies[vcpu].begin(
      thread, priority: priority, on: processors[vcpu % processors.count], turn: vcpu, returningTo: next)
    words.atomicStore(UInt32(1), at: UInt64(vcpu) * Self.line)
  }

  private func demote(_ thread: Int32, _ vcpu: Int) {
    words.atomicStore(UInt32(0), at: UInt64(vcpu) * Self.line)
    urgencies[vcpu].end(thread)
  }

  // MARK: any thread

  /// Those of the threads that are scheduled otherwise than as they were made: somebody wants it so.
  func standings(of threads: [Int32]) -> VCPUStandings {
    var found = VCPUStandings()
    let natural = natural.withLock { $0 }
    for (vcpu, thread) in threads.enumerated() {
      guard let made = natural[vcpu],
        var now = urgencies[vcpu].before ?? (try? ThreadStanding.of(thread))
      else { continue }
      // Wherever its control group is.
      if now.cpus.count == CPUSet.limit { now.cpus = made.cpus }
      if now != made { found.byVCPU[vcpu] = now }
    }
    return found
  }
}
