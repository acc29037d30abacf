internal import CFSRLinux
internal import Glibc

/// What a process or thread more, or a mapping, ran into: the kernel's one reason stands for several.
public enum Limit: Hashable, Sendable {
  /// Of the user's processes and threads (RLIMIT_NPROC).
  case processes
  /// Of the tasks of the control group at this path.
  case tasks(group: String)
  /// Of this process's address space (RLIMIT_AS).
  case addressSpace
  /// Of all threads of the host.
  case hostThreads

  /// What a person can do about it.
  public var remedy: String {
    switch self {
    case .processes: "raise the limit of processes (ulimit -u, or prlimit --nproc for one that runs)"
    case .tasks(let group):
      "raise the limit of tasks of its control group (pids.max in \(group); TasksMax= of a unit of systemd)"
    case .addressSpace: "raise the limit of address space (ulimit -v, or prlimit --as for one that runs)"
    case .hostThreads: "end processes, or raise the host's limits (sysctl kernel.threads-max, kernel.pid_max)"
    }
  }

  /// Which one keeps this process from having a thread or a process more, for whose stack `room` bytes are mapped.
  static func ofNewTask(room: UInt64) -> Limit {
    if isAddressSpaceShort(of: room) { return .addressSpace }
    if let group = fullGroup() { return .tasks(group: group) }
    return current(CFSR_LIMIT_PROCESSES) == nil ? .hostThreads : .processes
  }

  /// Whether the limit of address space leaves no room for `bytes` more.
  static func isAddressSpaceShort(of bytes: UInt64) -> Bool {
    guard let limit = current(CFSR_LIMIT_ADDRESS_SPACE) else { return false }
    // Where nobody says how much is in use, a limit that is there is the likeliest reason.
    guard let text = read("/proc/self/statm"),
      let pages = text.split(separator: " ").first.flatMap({ UInt64($0) })
    else { return true }
    let used = pages * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    return used > limit || bytes > limit - used
  }

  /// The limit of a new thread's stack, which is mapped as a whole.
  static var stackSize: UInt64 { current(CFSR_LIMIT_STACK) ?? 8 << 20 }

  /// Nil where there is none.
  private static func current(_ kind: cfsr_limit_kind) -> UInt64? {
    var limit: UInt64 = 0
    // SAFETY: written by the call alone.
    let answer = unsafe cfsr_limit(kind, &limit)
    return answer == 1 ? limit : nil
  }

  /// The nearest control group around this process that has as many tasks as it may have; nil where none is seen.
  private static func fullGroup() -> String? {
    for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains("pids") else {
        continue
      }
      let root = parts[1].isEmpty ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids"
      var names = parts[2].split(separator: "/")
      while true {
        let group = ([root[...]] + names).joined(separator: "/")
        if let most = number("\(group)/pids.max"), let now = number("\(group)/pids.current"), now >= most {
          return group
        }
        if names.popLast() == nil { break }
      }
    }
    return nil
  }

  private static func number(_ path: String) -> UInt64? {
    read(path).flatMap { $0.split(separator: "\n").first.flatMap { UInt64($0) } }
  }

  private static func read(_ path: String) -> String? {
    (try? OwnedDescriptor.open(path, .read).readAll(limit: 65536)).map { String(decoding: $0, as: UTF8.self) }
  }
}
