internal import CFSRLinux
internal import Glibc

/// Whose rights this process works with.
public enum WorkingUser {
  /// The group of a user that has no entry in the user database: nobody's.
  private static let groupOfNone: UInt32 = 65534
  /// Variables that go on to another user. The rest may be nobody's business but of whoever set them.
  private static let passedOn: Set<String> = [
    "FSR_LIMITS", "FSR_RUNTIME_DIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "NO_COLOR", "PATH", "TERM", "TZ",
    "XDG_RUNTIME_DIR",
  ]

  /// Makes root's process one of the user `uid`, for good: with that user's groups, without capabilities, and without
  /// what the environment says besides. Called before the process has a second thread.
  ///
  /// The kernel keeps what such a process had before from that user: it can neither be traced nor looked into.
  public static func become(_ uid: UInt32) throws(SystemError) {
    try check(cfsr_become_user(uid, groupOfNone), "setresuid", on: "user \(uid)")
    Environment.keep(only: passedOn)
  }
}

extension ProcessDescriptor {
  /// Whether the process, whose number is `pid`, works for the user `uid` and for nobody else: real, effective, saved
  /// and file system's user. False of one that is gone.
  ///
  /// - Throws: `SystemError` where that cannot be told.
  public func works(for uid: UInt32, pid: Int32) throws(SystemError) -> Bool {
    let text: [UInt8]
    do throws(SystemError) {
      text = try OwnedDescriptor.open("/proc/\(pid)/status", .read).readAll(limit: 65536)
    } catch {
      if error.isMissing || error.errno == ESRCH { return false }
      throw error
    }
    // While it lives its number is nobody else's.
    if try hasExited() { return false }
    let line = text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: Array("Uid:".utf8)) }
    let users = (line ?? []).dropFirst(4).split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
      .map { UInt32(String(decoding: $0, as: UTF8.self)) }
    guard users.count == 4 else { throw SystemError("read", on: "/proc/\(pid)/status", errno: EPROTO) }
    return users.allSatisfy { $0 == uid }
  }
}
