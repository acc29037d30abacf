internal import CFSRLinux
internal import Glibc

/// A process that has a file open for writing.
public struct FileWriter: Equatable, Sendable {
  public let pid: Int32
  /// What the kernel calls it (/proc/PID/comm), with a question mark for whatever a terminal might take amiss.
  public let command: String
  /// Of the descriptor that was looked for.
  public let token: Int

  public init(pid: Int32, command: String, token: Int) {
    self.pid = pid
    self.command = command
    self.token = token
  }
}

/// A look through the host's processes for those that have a file open for writing.
///
/// A process that holds a duplicate of the very descriptor that is looked for has no opening of its own, and is none of
/// them. Whoever may not be looked into is passed over, and so is what no descriptor leads to any more, as a mapping of
/// a file that was closed.
public struct WriterSearch: Sendable {
  /// How far a search goes before it answers with what it has.
  public struct Limits: Sendable {
    public var processes = 1 << 16
    /// Of all processes together.
    public var descriptors = 1 << 18
    /// Nanoseconds.
    public var duration: UInt64 = 2_000_000_000
    public var writers = 8

    public init() {}
  }

  private struct Target {
    let file: FileIdentity
    let number: Int32
    let token: Int
  }

  private var targets: [Target] = []

  public init() {}

  /// Adds the file of `descriptor`, which stays open until the search is done; nothing but a plain file is looked for.
  public mutating func look(for descriptor: borrowing OwnedDescriptor, token: Int) throws(SystemError) {
    guard try descriptor.isPlainFile() else { return }
    targets.append(Target(file: try descriptor.identity(), number: descriptor.raw, token: token))
  }

  /// Nanoseconds between two looks.
  private static let interval: UInt64 = 10_000_000

  /// Who writes, each once for each file. This process is left out, and so are `others`.
  ///
  /// - Parameter timeout: nanoseconds for a process to close the file before it counts, as one does that is ending.
  /// - Throws: `SystemError` where /proc cannot be listed.
  public func writers(
    besides others: Set<Int32> = [], timeout: UInt64 = 0, within limits: Limits = Limits()
  ) throws(SystemError) -> [FileWriter] {
    let deadline = MonotonicClock.now() &+ timeout
    while true {
      let found = try look(besides: others, within: limits)
      if found.isEmpty || MonotonicClock.now() >= deadline { return found }
      MonotonicClock.sleep(Self.interval)
    }
  }

  private func look(besides others: Set<Int32>, within limits: Limits) throws(SystemError) -> [FileWriter] {
    if targets.isEmpty { return [] }
    let deadline = MonotonicClock.deadline(after: limits.duration) ?? .max
    let own = getpid()
    var found: [FileWriter] = []
    var (processes, descriptors) = (0, 0)
    try Directory.open("/proc").forEachNumber { pid in
      guard processes < limits.processes, MonotonicClock.now() < deadline else { return false }
      processes += 1
      if pid == own || others.contains(pid) { return true }
      // Gone, or nobody's business of this one.
      guard let folder = try? Directory.open("/proc/\(pid)/fd") else { return true }
      var seen: Set<Int> = []
      try? folder.forEachNumber { number in
        descriptors += 1
        guard descriptors <= limits.descriptors else { return false }
        if descriptors % 1024 == 0, MonotonicClock.now() >= deadline { return false }
        for target in targets where Self.leads(number, in: folder, to: target.file) {
          if seen.contains(target.token) || !Self.writes(number, of: pid, to: target) { continue }
          seen.insert(target.token)
          found.append(FileWriter(pid: pid, command: Self.command(of: pid), token: target.token))
        }
        return found.count < limits.writers
      }
      return found.count < limits.writers && descriptors < limits.descriptors
    }
    return found
  }

  static func leads(_ number: Int32, in folder: borrowing Directory, to file: FileIdentity) -> Bool {
    var (device, inode): (UInt64, UInt64) = (0, 0)
    // SAFETY: both are written by the call alone.
    let answer = unsafe cfsr_number_identity(folder.number, number, &device, &inode)
    return answer == 0 && file == FileIdentity(device: device, inode: inode)
  }

  private static func writes(_ number: Int32, of pid: Int32, to target: Target) -> Bool {
    guard let theirs = OpenFile(of: pid, number: number), OpenFileFlags.isWriting(theirs.flags) else {
      return false
    }
    switch cfsr_is_same_opening(target.number, pid, number) {
    case 0: return true
    case 1: return false
    // The process has closed it, or is gone.
    case -EBADF, -ESRCH: return false
    default:
      // A kernel or a filter without that call: duplicates at least agree in this.
      return theirs != OpenFile(of: getpid(), number: target.number)
    }
  }

  private static func command(of pid: Int32) -> String {
    guard let file = try? OwnedDescriptor.open("/proc/\(pid)/comm", .read),
      let text = try? file.read(limit: 64)
    else { return "?" }
    return String(
      String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self).unicodeScalars.map { scalar in
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar == ";" ? "?" : Character(scalar)
      })
  }
}

/// What /proc says of a descriptor's open file description.
struct OpenFile: Equatable {
  let position: UInt64
  /// Without close-on-exec, which is the descriptor's own.
  let flags: Int32

  init?(of pid: Int32, number: Int32) {
    guard let file = try? OwnedDescriptor.open("/proc/\(pid)/fdinfo/\(number)", .read),
      let text = try? file.read(limit: 512)
    else { return nil }
    self.init(parsing: String(decoding: text, as: UTF8.self))
  }

  /// The lines `pos:` in decimal and `flags:` in octal digits of proc_pid_fdinfo(5).
  init?(parsing text: String) {
    var (position, flags): (UInt64?, Int32?) = (nil, nil)
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let value = parts[1].drop { $0 == "\t" || $0 == " " }
      if parts[0] == "pos" { position = UInt64(value) }
      if parts[0] == "flags" { flags = Int32(value, radix: 8) }
    }
    guard let position, let flags else { return nil }
    self.position = position
    self.flags = flags & ~O_CLOEXEC
  }
}
