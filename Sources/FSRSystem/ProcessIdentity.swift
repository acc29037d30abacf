internal import Glibc
internal import Synchronization

/// One process of one boot of the host: its number alone may name another process later.
public struct ProcessIdentity: Equatable, Hashable, Sendable {
  public let pid: Int32
  /// Clock ticks from the host's boot to the process's start.
  public let startTime: UInt64
  /// The host's boot, as two halves of /proc/sys/kernel/random/boot_id.
  public let bootID: BootID

  public init(pid: Int32, startTime: UInt64, bootID: BootID) {
    self.pid = pid
    self.startTime = startTime
    self.bootID = bootID
  }

  /// This process. Where /proc does not show it, it is no process that anybody could look for: whoever writes itself
  /// down for others asks `establish` first.
  public static func current() -> ProcessIdentity {
    (try? establish()) ?? ProcessIdentity(pid: getpid(), startTime: 0, bootID: BootID(high: 0, low: 0))
  }

  /// This process, as others find it. Read once: a process that has used up its descriptors could not look, and is the
  /// same process all the same.
  ///
  /// - Throws: `SystemError` where /proc is not mounted, not whole, or of another PID namespace: nothing can be
  ///   proven about any process there.
  @discardableResult
  public static func establish() throws(SystemError) -> ProcessIdentity {
    if let known = own.withLock({ $0 }) { return known }
    // The number that /proc knows it by is another one where its namespace is another one.
    let stat = "/proc/self/stat"
    let text = try OwnedDescriptor.open(stat, .read).readAll(limit: 65536)
    guard let (_, startTime) = parse(stat: text) else { throw SystemError("read", on: stat, errno: EPROTO) }
    let number = text.prefix { $0 != UInt8(ascii: " ") }
    guard String(decoding: number, as: UTF8.self) == "\(getpid())" else {
      throw SystemError("read", on: "\(stat), which is of another PID namespace", errno: ESRCH)
    }
    let found = ProcessIdentity(pid: getpid(), startTime: startTime, bootID: try BootID.current())
    own.withLock { $0 = found }
    return found
  }

  private static let own = Mutex<ProcessIdentity?>(nil)

  /// The process that has the number `pid` now; nil if there is none, or only its exit status is left.
  ///
  /// - Throws: `SystemError` also where /proc is such that a process which is not there may live.
  public static func of(pid: Int32) throws(SystemError) -> ProcessIdentity? {
    guard let found = try look(pid: pid), !found.isEnding else { return nil }
    return found.identity
  }

  /// The process that has the number `pid`, and whether it runs no longer: its first thread has ended, though others may
  /// not have.
  static func look(pid: Int32) throws(SystemError) -> (identity: ProcessIdentity, isEnding: Bool)? {
    guard pid > 0 else { return nil }
    let own = try establish()
    let text: [UInt8]
    do {
      text = try OwnedDescriptor.open("/proc/\(pid)/stat", .read).readAll(limit: 65536)
    } catch  where error.errno == ENOENT || error.errno == ESRCH {
      return nil
    }
    guard let (state, startTime) = parse(stat: text) else {
      throw SystemError("read", on: "/proc/\(pid)/stat", errno: EPROTO)
    }
    let isEnding = [UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x")].contains(state)
    return (ProcessIdentity(pid: pid, startTime: startTime, bootID: own.bootID), isEnding)
  }

  /// Fields 3 and 22 of proc_pid_stat(5). They are counted behind the last parenthesis, since the name in
  /// field 2 is the process's own choice and may look like anything.
  static func parse(stat text: [UInt8]) -> (state: UInt8, startTime: UInt64)? {
    guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20)
    guard fields.count > 19, let state = fields[0].first else { return nil }
    guard let startTime = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
    return (state, startTime)
  }
}

/// One boot of the host: 128 random bits.
public struct BootID: Equatable, Hashable, Sendable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The boot that this process runs in.
  public static func current() throws(SystemError) -> BootID {
    let path = "/proc/sys/kernel/random/boot_id"
    let text = try OwnedDescriptor.open(path, .read).readAll(limit: 64)
    let digits = String(decoding: text, as: UTF8.self).filter(\.isHexDigit)
    guard digits.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
      let low = UInt64(digits.suffix(16), radix: 16)
    else { throw SystemError("read", on: path, errno: EPROTO) }
    return BootID(high: high, low: low)
  }
}
