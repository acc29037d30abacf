internal import CFSRLinux
internal import Glibc

/// A process that this one started.
@frozen public struct ChildProcess: ~Copyable, Sendable {
  public var process: ProcessDescriptor
  public let pid: Int32

  /// Descriptors have lower numbers than this in the child.
  public static let targetLimit: Int32 = 1024

  /// One descriptor for the child: `number` here, `target` there.
  public struct Inheritance: Equatable, Sendable {
    public let number: Int32
    public let target: Int32

    public init(_ number: Int32, as target: Int32) {
      self.number = number
      self.target = target
    }
  }

  /// Starts `executable` (a path; PATH is not searched) with `arguments`, the name it goes by first among
  /// them, and exactly `environment` ("NAME=VALUE").
  ///
  /// The child has the descriptors 0, 1 and 2 of this process and those of `inheriting`, which may name 0, 1
  /// and 2 too, and no others, close-on-exec or not. No signal is blocked in it and each has its default
  /// action. ENOENT, EACCES, ENOEXEC, E2BIG as execve(2) says them; EBADF for a number that is not open;
  /// EINVAL for a target that is named twice or out of range, or a string with a zero byte.
  ///
  /// - Parameters:
  ///   - program: the number of a descriptor whose file is executed in the place of `executable`, which names it then.
  ///     The child has it no more once it runs.
  ///   - newSession: whether it leaves the terminal and the working directory of this process; it begins in `/`.
  public static func spawn(
    executable: String, arguments: [String], environment: [String], inheriting: [Inheritance] = [],
    newSession: Bool = false, program: Int32? = nil
  ) throws(SystemError) -> ChildProcess {
    try spawn(
      executable: executable, arguments: arguments, environmentBytes: environment.map { Array($0.utf8) },
      inheriting: inheriting, newSession: newSession, program: program)
  }

  /// The same with an environment that need not be text.
  public static func spawn(
    executable: String, arguments: [String], environmentBytes: [[UInt8]], inheriting: [Inheritance] = [],
    newSession: Bool = false, program: Int32? = nil
  ) throws(SystemError) -> ChildProcess {
    let targets = inheriting.map(\.target)
    let strings = (arguments + [executable]).map { Array($0.utf8) }
    guard targets.allSatisfy({ $0 >= 0 && $0 < targetLimit }), Set(targets).count == targets.count,
      !(strings + environmentBytes).contains(where: { $0.contains(0) })
    else { throw SystemError("posix_spawn", on: executable, errno: EINVAL) }

    // The sources are moved above all targets first, so that no dup2 overwrites what a later one reads.
    let above = max(3, (targets.max() ?? 0) + 1)
    var sources = DescriptorBag()
    for one in inheriting {
      let copy = try check(
        cfsr_duplicate(one.number, above), "fcntl F_DUPFD_CLOEXEC", on: "descriptor \(one.number)")
      sources.append(OwnedDescriptor(adopting: copy))
    }
    var gaps = (3..<above).filter { !targets.contains($0) }
    var closed = above
    var path = executable
    if let program {
      let copy = try check(
        cfsr_duplicate(program, above), "fcntl F_DUPFD_CLOEXEC", on: "descriptor \(program)")
      sources.append(OwnedDescriptor(adopting: copy))
      // Open until the child executes it. Named as the child's own: nobody else need be looked into for it.
      gaps += Array(above..<copy)
      closed = copy + 1
      path = "/proc/self/fd/\(copy)"
    }
    let pid = try spawn(
      path, CStrings(arguments), CStrings(bytes: environmentBytes),
      Array(sources.numbers.prefix(targets.count)), targets, gaps, closed, newSession)
    // Not reaped by anyone before this, so the number is still its own.
    return ChildProcess(process: try ProcessDescriptor.open(pid: pid), pid: pid)
  }

  /// Kills everything that a child with a session of its own has started and not sent away.
  ///
  /// `leader` is the child's number, and it was not reaped: until then nobody else has the number.
  public static func killGroup(ledBy leader: Int32) throws(SystemError) {
    precondition(leader > 1, "a group is led by a process")
    let answer = cfsr_process_group_kill(leader)
    if answer != -ESRCH { try check(answer, "kill", on: "process group \(leader)") }
  }

  private static func spawn(
    _ executable: String, _ arguments: borrowing CStrings, _ environment: borrowing CStrings,
    _ sources: [Int32], _ targets: [Int32], _ gaps: [Int32], _ above: Int32, _ newSession: Bool
  ) throws(SystemError) -> Int32 {
    var pid: Int32 = 0
    // SAFETY: every array and string lives for the call, which reads as many elements as are told.
    let answer = unsafe executable.withCString { path in
      unsafe cfsr_spawn(
        path, arguments.base, environment.base, sources, targets, sources.count, gaps, gaps.count, above,
        newSession ? 1 : 0, &pid)
    }
    try check(answer, "posix_spawn", on: executable)
    return pid
  }
}
