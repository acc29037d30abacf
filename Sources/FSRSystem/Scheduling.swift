internal import CFSRLinux
internal import Glibc

/// Where and how a thread runs. `thread` is a `threadID`; 0 is the calling thread.
public enum Scheduling {
  /// How the kernel chooses when a thread runs.
  public enum Policy: Equatable, Sendable {
    case normal
    case batch
    case idle
    /// Until it blocks, before all threads of a lower priority (1 ... 99).
    case fifo(priority: Int32)
    case roundRobin(priority: Int32)
    /// One that this package never sets, by the kernel's number.
    case other(Int32)
  }

  /// The CPUs that the thread may run on.
  public static func affinity(of thread: Int32) throws(SystemError) -> CPUSet {
    var words = [UInt64](repeating: 0, count: CPUSet.limit / 64)
    // SAFETY: the kernel writes at most as many words as are told.
    let answer = unsafe cfsr_affinity(thread, &words, words.count)
    try check(answer, "sched_getaffinity", on: "thread \(thread)")
    return CPUSet(words: words)
  }

  /// Lets the thread run on `cpus` only. EINVAL when none of them is there or allowed.
  public static func setAffinity(_ cpus: CPUSet, of thread: Int32) throws(SystemError) {
    // SAFETY: the kernel reads as many words as are told.
    let answer = unsafe cfsr_set_affinity(thread, cpus.words, cpus.words.count)
    try check(answer, "sched_setaffinity", on: "thread \(thread)")
  }

  /// The CPU that the calling thread runs on at this moment.
  public static func currentCPU() throws(SystemError) -> Int { Int(try check(cfsr_current_cpu(), "getcpu")) }

  public static func policy(of thread: Int32) throws(SystemError) -> Policy {
    var priority: Int32 = 0
    // SAFETY: written by the call alone.
    let answer = unsafe cfsr_policy(thread, &priority)
    switch try check(answer, "sched_getscheduler", on: "thread \(thread)") {
    case CFSR_SCHED_NORMAL: return .normal
    case CFSR_SCHED_BATCH: return .batch
    case CFSR_SCHED_IDLE: return .idle
    case CFSR_SCHED_FIFO: return .fifo(priority: priority)
    case CFSR_SCHED_RR: return .roundRobin(priority: priority)
    case let number: return .other(number)
    }
  }

  /// Lets the thread run before every normal one, at `priority` 1 ... 99; false without the right to.
  public static func setFIFO(priority: Int32, of thread: Int32) throws(SystemError) -> Bool {
    let answer = cfsr_set_policy(thread, CFSR_SCHED_FIFO, priority)
    if answer == -EPERM { return false }
    try check(answer, "sched_setscheduler", on: "thread \(thread)")
    return true
  }

  /// Lets the thread get its share, but not take a processor from a normal one that runs when it wakes up.
  /// What it starts is the same.
  public static func setBatch(of thread: Int32) throws(SystemError) {
    try check(cfsr_set_policy(thread, CFSR_SCHED_BATCH, 0), "sched_setscheduler", on: "thread \(thread)")
  }

  /// Puts the thread back among the normal ones.
  public static func setNormal(of thread: Int32) throws(SystemError) {
    try check(cfsr_set_policy(thread, CFSR_SCHED_NORMAL, 0), "sched_setscheduler", on: "thread \(thread)")
  }
}
