/// The control group by which a service manager tells which service a process belongs to.
public struct ServiceGroup: Equatable, Sendable {
  /// By version 2, and by the hierarchy that systemd has for itself beside version 1. With both, systemd may use either:
  /// in the other one everybody is at the top.
  private let unified: Substring?
  private let own: Substring?

  /// Of this process; nil where the kernel has none, or /proc does not say it.
  public static var own: ServiceGroup? { ServiceGroup(file: "/proc/self/cgroup") }

  /// Of the process with the number `pid`; nil where that cannot be told, or the process is gone.
  public init?(of pid: Int32) { self.init(file: "/proc/\(pid)/cgroup") }

  private init?(file: String) {
    guard let bytes = try? OwnedDescriptor.open(file, .read).readAll(limit: 65536) else { return nil }
    self.init(parsing: String(decoding: bytes, as: UTF8.self))
  }

  /// - Parameter text: lines as in cgroups(7): number, controllers, path, with colons between.
  public init?(parsing text: String) {
    var unified: Substring?
    var own: Substring?
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[1] == "name=systemd" { own = parts[2] }
      if parts[0] == "0", parts[1].isEmpty { unified = parts[2] }
    }
    if unified == nil, own == nil { return nil }
    self.unified = unified
    self.own = own
  }
}
