/// The namespace that the clocks of a process are of (time_namespaces(7)): when a process has begun and when it was last
/// heard of means something else in another one.
enum TimeNamespace {
  // Looked up without a descriptor, which this process may have no room for.
  private static func text(of process: String) throws(SystemError) -> String {
    try SymbolicLink.target(of: "/proc/\(process)/ns/time")
  }

  private static let own = try? text(of: "self")

  /// Whether the clocks of this process are not the host's.
  private static let isShifted: Bool = {
    let text = try? OwnedDescriptor.open("/proc/self/timens_offsets", .read).readAll(limit: 4096)
    return isShifted(String(decoding: text ?? [], as: UTF8.self))
  }()

  /// A line for each clock: its name, seconds, nanoseconds.
  static func isShifted(_ offsets: String) -> Bool {
    offsets.split(separator: "\n").contains { line in
      line.split(separator: " ").dropFirst().contains { Int64($0) != 0 }
    }
  }

  /// Whether process `pid` is of another one than this process. Of one that may not be looked at that is taken for so where
  /// this process's own clocks are not the host's; of one that is gone nothing says so.
  static func isOther(pid: Int32) -> Bool {
    guard let own else { return false }
    do throws(SystemError) { return try text(of: "\(pid)") != own } catch {
      return error.isNotPermitted && isShifted
    }
  }
}

extension ProcessIdentity {
  /// Whether a process that has the number now goes by other clocks than this one: by its start it cannot be told from
  /// others then.
  public var hasOtherClocks: Bool { TimeNamespace.isOther(pid: pid) }
}
