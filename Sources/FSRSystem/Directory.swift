internal import CFSRLinux
internal import Glibc

/// An open directory: names below it are looked up from here, wherever its path leads by now.
///
/// Every `name` is one entry's name; a slash in it, `.` and `..` are refused with EINVAL.
public struct Directory: ~Copyable, Sendable {
  public let descriptor: OwnedDescriptor

  /// Takes a descriptor that somebody else opened; ENOTDIR if it is not a directory's.
  public init(adopting descriptor: consuming OwnedDescriptor) throws(SystemError) {
    guard try descriptor.status().mode & S_IFMT == S_IFDIR else {
      throw SystemError("fstat", on: "descriptor \(descriptor.number)", errno: ENOTDIR)
    }
    self.descriptor = descriptor
  }

  private init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// Opens the directory at `path`; symbolic links are followed.
  public static func open(_ path: String) throws(SystemError) -> Directory {
    try LeafName.check(path: path, "openat")
    // SAFETY: the C string lives for the call.
    let raw = unsafe path.withCString {
      unsafe cfsr_open(CFSR_WORKING_DIRECTORY, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    }
    return Directory(OwnedDescriptor(adopting: try check(raw, "openat", on: path)))
  }

  /// Opens the directory `name` below `parent`. A symbolic link there is refused (ENOTDIR) unless
  /// `followingLinks`.
  public static func open(_ name: String, in parent: borrowing Directory, followingLinks: Bool = false)
    throws(SystemError) -> Directory
  {
    try LeafName.check(name, "openat")
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW)
    let number = parent.descriptor.raw
    // SAFETY: the C string lives for the call.
    let raw = unsafe name.withCString { unsafe cfsr_open(number, $0, flags, 0) }
    return Directory(OwnedDescriptor(adopting: try check(raw, "openat", on: name)))
  }

  /// Opens the same directory anew: what is locked through this one is no matter of `duplicate`'s descriptors.
  public func reopened() throws(SystemError) -> Directory { try relative(".") }

  /// Opens the directory that this one lies in.
  public func parent() throws(SystemError) -> Directory { try relative("..") }

  private func relative(_ path: String) throws(SystemError) -> Directory {
    // SAFETY: the C string lives for the call.
    let raw = unsafe path.withCString {
      unsafe cfsr_open(descriptor.raw, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    }
    return Directory(OwnedDescriptor(adopting: try check(raw, "openat", on: path)))
  }

  /// Whether it has no name any more, so that nothing can be made in it.
  public func isRemoved() throws(SystemError) -> Bool { try descriptor.status().links == 0 }

  /// A second descriptor of the same directory.
  public func duplicate() throws(SystemError) -> Directory { Directory(try descriptor.duplicate()) }

  /// Gives the descriptor away, to send it or to keep it over an exec.
  public consuming func release() -> OwnedDescriptor { descriptor }

  /// The number, for messages and for a child's table.
  public var number: Int32 { descriptor.raw }

  /// Where it is now, as the kernel says; ends in " (deleted)" when it was removed.
  public func path() throws(SystemError) -> String {
    try SymbolicLink.target(of: "/proc/self/fd/\(descriptor.raw)", in: CFSR_WORKING_DIRECTORY)
  }

  /// Who owns it, and its permission bits.
  public func ownership() throws(SystemError) -> (uid: UInt32, mode: UInt32) {
    let status = try descriptor.status()
    return (status.uid, status.mode & 0o7777)
  }

  /// Whether it lies on a tmpfs, whose pages never wait for a disk.
  public func isOnTmpfs() throws(SystemError) -> Bool {
    Int64(try check(cfsr_filesystem_type(descriptor.raw), "fstatfs")) == CFSR_TMPFS
  }

  /// Makes its entries durable (fsync(2)).
  public func sync() throws(SystemError) { try descriptor.sync() }
}

extension OwnedDescriptor {
  /// Gives a file that root has made to whoever `directory` belongs to; nothing for others, whose it is already.
  public func belong(to directory: borrowing Directory) throws(SystemError) {
    let owner = try directory.ownership().uid
    guard geteuid() == 0, owner != 0 else { return }
    guard fchown(number, owner, gid_t.max) == 0 else {
      throw SystemError("fchown", on: "user \(owner)", errno: errno)
    }
  }
}
