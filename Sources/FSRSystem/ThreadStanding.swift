internal import CFSRLinux

/// How and where a thread is scheduled, all of it, so that it can be put back or given to another.
public struct ThreadStanding: Equatable, Sendable {
  /// The CPUs that it may run on.
  public var cpus: CPUSet
  /// As sched_setattr(2) has them.
  public var policy: UInt32 = 0
  public var flags: UInt64 = 0
  public var nice: Int32 = 0
  public var priority: UInt32 = 0
  /// Nanoseconds; of a policy that has them.
  public var runtime: UInt64 = 0
  public var deadline: UInt64 = 0
  public var period: UInt64 = 0

  public init(cpus: CPUSet) { self.cpus = cpus }

  /// That of a thread, a `threadID`; 0 is the calling one.
  public static func of(_ thread: Int32) throws(SystemError) -> ThreadStanding {
    var answer = cfsr_scheduling()
    // SAFETY: written by the call alone, as many bytes as it has.
    try check(unsafe cfsr_scheduling(thread, &answer), "sched_getattr", on: "thread \(thread)")
    var standing = ThreadStanding(cpus: try Scheduling.affinity(of: thread))
    standing.policy = answer.policy
    standing.flags = answer.flags
    standing.nice = answer.nice
    standing.priority = answer.priority
    standing.runtime = answer.runtime
    standing.deadline = answer.deadline
    standing.period = answer.period
    return standing
  }

  /// Schedules the thread so. Where a right is missing for the policy it still gets the CPUs.
  public func apply(to thread: Int32) throws(SystemError) {
    var wish = cfsr_scheduling()
    wish.size = UInt32(MemoryLayout<cfsr_scheduling>.size)
    wish.policy = policy
    wish.flags = flags
    wish.nice = nice
    wish.priority = priority
    wish.runtime = runtime
    wish.deadline = deadline
    wish.period = period
    // SAFETY: the kernel reads as many bytes as `size` says.
    let answer = unsafe cfsr_set_scheduling(thread, &wish)
    try Scheduling.setAffinity(cpus, of: thread)
    try check(answer, "sched_setattr", on: "thread \(thread)")
  }

  /// Whether it runs before every normal one: who takes that away may not be able to give it back.
  public var isRealTime: Bool {
    [CFSR_SCHED_FIFO, CFSR_SCHED_RR, CFSR_SCHED_DEADLINE].contains(Int32(bitPattern: policy))
  }

  /// Lets the thread run wherever its control group does, also when that changes later, where it may already: an affinity
  /// that was never set follows its group, and one that is put back as it was read would not.
  ///
  /// - Parameter thread: the one that this was read of.
  public mutating func followGroup(of thread: Int32) throws(SystemError) {
    let all = CPUSet(0..<CPUSet.limit)
    try Scheduling.setAffinity(all, of: thread)
    if try Scheduling.affinity(of: thread) == cpus {
      cpus = all
    } else {
      try Scheduling.setAffinity(cpus, of: thread)
    }
  }
}
