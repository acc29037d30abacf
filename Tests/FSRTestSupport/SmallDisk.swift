internal import CFSRTestLinux
internal import FSRSystem

/// A file system that is soon full, on which nobody else comes: it is mounted nowhere, and goes with this.
public struct SmallDisk: ~Copyable {
  private let root: OwnedDescriptor

  /// Nil, which is said loudly, where this process may have none.
  ///
  /// - Parameter size: as mount(8) takes it for a tmpfs.
  public init?(size: String, isReadOnly: Bool = false) throws {
    // SAFETY: the C string lives for the call.
    let answer = unsafe size.withCString { unsafe cfsrtest_small_disk($0, isReadOnly ? 1 : 0) }
    guard answer >= 0 else {
      let error = SystemError("fsmount", errno: -answer)
      try? OwnedDescriptor.standardError().write(Array("SKIPPED: small disks: \(error); root may\n".utf8))
      return nil
    }
    root = OwnedDescriptor(adopting: answer)
  }

  /// Leads to its root, in this process.
  public var path: String { "/proc/self/fd/\(root.number)" }
}
