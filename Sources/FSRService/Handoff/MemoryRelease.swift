internal import FSRHost
internal import FSRMemory
internal import FSRSystem

/// How a VMM whose guest is elsewhere gives back what it had of it, without taking the guest's processors.
///
/// The kernel takes page tables of gigabytes apart for long. What a process has not given back when it ends is
/// taken apart at once, on one of its processors, while the guest's thread waits for it.
enum MemoryRelease {
  /// Bytes in a piece. How many are mapped, and so how long it takes, shows when it is done.
  private static let smallestPiece: UInt64 = 512 << 10
  private static let largestPiece: UInt64 = 16 << 20
  /// Nanoseconds that a piece is to take, about.
  private static let aim: UInt64 = 100_000
  /// Where every processor may be the guest's, one in so many moments is used.
  private static let share: UInt64 = 10
  /// Nanoseconds after which whoever waits for this process's end matters more.
  private static let timeout: UInt64 = 1_000_000_000

  /// Called on a thread that has no urgency any more. What fails here is done by the process's end.
  static func giveBackMemory(of vm: any ManagedVM) {
    let (memory, facts) = (vm.memory, vm.facts)
    let isCrowded = !leaveProcessors(vm.processors.prefix(facts.vcpus))
    let deadline = MonotonicClock.now() &+ timeout
    // Huge pages go whole.
    let least = facts.hasHugePages ? GuestMemory.hugePageSize : smallestPiece
    var piece = least
    var offset: UInt64 = 0
    var now = MonotonicClock.now()
    while offset < memory.size, now < deadline {
      let end = min(memory.size, offset + piece)
      // Locked pages are not unmapped; whoever runs the guest now has locked them too.
      if offset < facts.reserve { memory.unreserve(offset..<min(end, facts.reserve)) }
      try? memory.unmapPages(offset..<end)
      offset = end
      let taken = MonotonicClock.now() - now
      piece = taken < aim ? min(piece * 2, largestPiece) : max(piece / 2, least)
      if isCrowded { MonotonicClock.sleep(min(taken, aim * 2) * (share - 1)) }
      now = MonotonicClock.now()
    }
  }

  /// Moves the calling thread to processors on which no vCPU entered; false where there is none.
  private static func leaveProcessors(_ taken: some Collection<Int>) -> Bool {
    let others = ((try? Scheduling.affinity(of: 0).cpus) ?? []).filter { !taken.contains($0) }
    if others.isEmpty { return false }
    try? Scheduling.setAffinity(CPUSet(others), of: 0)
    return true
  }
}
