import Glibc

/// A system call that failed: which one, on what, with which errno, and what to do about it.
public struct SystemError: Reasoned, Hashable {
  /// The call's name, as in its manual page.
  public let call: String
  /// What it was called on: a path, a name, a number; empty where there is nothing to name.
  public let subject: String
  /// The kernel's reason.
  public let errno: Int32

  public init(_ call: String, on subject: String = "", errno: Int32) {
    self.call = call
    self.subject = subject
    self.errno = errno
  }

  /// The same said of the file at `path`, where it says a descriptor's number.
  public func naming(_ path: String) -> SystemError {
    let isNumber = subject.hasPrefix("descriptor ") || subject.hasPrefix("/proc/self/fd/")
    return isNumber ? SystemError(call, on: path, errno: errno) : self
  }

  public var reason: Reason {
    Reason(
      "\(subject.isEmpty ? call : "\(call) \(subject)"): \(meaning)", remedy: remedy,
      code: shortage.map { shortage in
        switch shortage {
        case .limit: .limits
        case .right: .rights
        case .room: .headroom
        }
      })
  }

  /// The errno in words.
  public var meaning: String {
    // SAFETY: strerror answers a NUL-terminated string, copied before this thread calls again.
    unsafe String(cString: strerror(errno))
  }

  /// What a process has too little of.
  public enum Shortage: Sendable {
    /// What its limits allow (getrlimit(2)).
    case limit
    /// A capability or a permission.
    case right
    /// What the host has: memory, or room on a disk.
    case room
  }

  /// The shortage that the call failed of; nil where it was none.
  public var shortage: Shortage? {
    switch errno {
    case EMFILE: .limit
    case EAGAIN: limit == nil ? nil : .limit
    case EFBIG: isFileLimit ? .limit : nil
    // Beyond the limit; a process that may lock nothing at all gets EPERM.
    case ENOMEM: call == "mlock" || limit != nil ? .limit : .room
    case EACCES, EPERM: .right
    case ENOSPC, EDQUOT, ENFILE: .room
    default: nil
    }
  }

  /// Whether the process, or the host, had no room for the call: nothing is known then of what was asked about.
  public var isOwnShortage: Bool { shortage == .limit || shortage == .room }

  /// Which limit it ran into, where the errno stands for several: looked for now, soon after the call.
  private var limit: Limit? {
    switch (errno, call) {
    case (EAGAIN, "pthread_create"): Limit.ofNewTask(room: Limit.stackSize)
    case (EAGAIN, "posix_spawn"): Limit.ofNewTask(room: 0)
    case (ENOMEM, "mmap"), (ENOMEM, "posix_spawn"):
      Limit.isAddressSpaceShort(of: mappedBytes ?? Limit.stackSize) ? .addressSpace : nil
    default: nil
    }
  }

  /// How much was to be mapped, as the subject of that call says.
  private var mappedBytes: UInt64? {
    subject.hasSuffix(" bytes") ? subject.split(separator: " ").first.flatMap { UInt64($0) } : nil
  }

  /// The limit that it ran into, as prlimit(1) calls it, of those that have room for what a VMM serves at once; nil for
  /// others.
  public var raisable: String? { errno == EMFILE ? "nofile" : limit == .processes ? "nproc" : nil }

  /// Whether a file would be longer than there may be; a reader that finds one too long says EFBIG too.
  private var isFileLimit: Bool { errno == EFBIG && Self.growing.contains(call) }
  private static let growing: Set = [
    "write", "pwrite", "ftruncate", "fallocate", "posix_fallocate", "copy_file_range",
  ]

  /// What a person can do, where the errno alone tells.
  var remedy: String? {
    if let limit { return limit.remedy }
    if subject.hasPrefix("/proc/"), errno == ENOENT || errno == ESRCH {
      return "mount all of /proc, of this PID namespace (`mount -t proc proc /proc`)"
    }
    if isFileLimit {
      return "raise the limit of file sizes (ulimit -f, or prlimit --fsize for one that runs)"
    }
    if call == "mlock", errno == ENOMEM || errno == EPERM {
      return "raise the limit of locked memory (ulimit -l), or give CAP_IPC_LOCK"
    }
    return switch errno {
    case EMFILE: "raise the limit of open files (ulimit -n, or prlimit --nofile for one that runs)"
    case ENOMEM: "free memory, or ask for less"
    case ENOSPC: "free space there"
    case EACCES, EPERM: "run as the owner or as root"
    default: nil
    }
  }
}

/// The same for calls that answer how many bytes.
@discardableResult
func check(_ answer: Int64, _ call: String, on subject: @autoclosure () -> String = "") throws(SystemError)
  -> Int
{
  if answer < 0 { throw SystemError(call, on: subject(), errno: Int32(-answer)) }
  return Int(answer)
}

/// Turns the C side's `-errno` convention into a thrown error.
@discardableResult
func check(_ answer: Int32, _ call: String, on subject: @autoclosure () -> String = "") throws(SystemError)
  -> Int32
{
  if answer < 0 { throw SystemError(call, on: subject(), errno: -answer) }
  return answer
}

extension SystemError {
  /// Whether what was named is not there.
  public var isMissing: Bool { errno == ENOENT }
  /// Whether what was named is there, and is no directory.
  public var isNoDirectory: Bool { errno == ENOTDIR }
  /// Whether what was to be made is there already.
  public var isTaken: Bool { errno == EEXIST || errno == EADDRINUSE }
  /// Whether it took longer than allowed.
  public var isTimeout: Bool { errno == ETIMEDOUT || errno == EAGAIN }
  /// Whether nobody listens at a socket that is there.
  public var isRefused: Bool { errno == ECONNREFUSED }
  /// Whether nobody is at the other end of a pipe or socket any more.
  public var isBrokenPipe: Bool { errno == EPIPE || errno == ECONNRESET }
  /// Whether there is more of it than allowed.
  public var isTooLarge: Bool { errno == EFBIG }
  /// Whether a right is missing.
  public var isNotPermitted: Bool { errno == EPERM || errno == EACCES }
  /// Whether somebody else has it.
  public var isBusy: Bool { errno == EBUSY }
  /// Somebody else has it, as found by other means than the call.
  public static func busy(_ call: String, _ subject: String) -> SystemError {
    SystemError(call, on: subject, errno: EBUSY)
  }
  /// Whether the descriptor is none, or not open for what was asked.
  public var isClosed: Bool { errno == EBADF }
  /// Whether the thing behind the descriptor is gone.
  public var isDetached: Bool { errno == EBADFD }
  /// Whether a device is named for which there is no driver.
  public var isNoDevice: Bool { errno == ENODEV || errno == ENXIO }
  /// Whether what was asked for does not go together with what is there.
  public var isInvalid: Bool { errno == EINVAL }
  /// What a terminal says when it is gone, and a disk when it is broken.
  public var isInputOutput: Bool { errno == EIO }
}
