internal import CFSRLinux
internal import Glibc

/// Which file of the host a descriptor leads to, whatever its names.
public struct FileIdentity: Hashable, Sendable, CustomStringConvertible {
  public let device: UInt64
  public let inode: UInt64

  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  public var description: String { "inode \(inode) of device \(device)" }
}

/// What a descriptor leads to.
public enum FileKind: String, Sendable {
  case plain
  case directory
  case symbolicLink = "symbolic link"
  case pipe
  case socket
  case device

  init(mode: UInt32) {
    switch mode & S_IFMT {
    case S_IFREG: self = .plain
    case S_IFDIR: self = .directory
    case S_IFLNK: self = .symbolicLink
    case S_IFIFO: self = .pipe
    case S_IFSOCK: self = .socket
    default: self = .device
    }
  }
}

/// References: descriptors that name a file and open nothing (O_PATH). They read, write and lock nothing, so that
/// one may be handed to another process while this one holds a lock of the same file.
extension OwnedDescriptor {
  /// A reference to what `path` names; of a symbolic link as its last component, to the link itself.
  public static func reference(to path: String) throws(SystemError) -> OwnedDescriptor {
    try LeafName.check(path: path, "open")
    // SAFETY: the C string lives for the call.
    let raw = unsafe path.withCString { unsafe cfsr_open_reference($0) }
    return OwnedDescriptor(adopting: try check(raw, "open", on: path))
  }

  /// Opens what this descriptor leads to anew: an open file description of its own, with locks of its own. Through
  /// /proc/self/fd, so ENOENT means that /proc is not mounted. Not for devices and pipes, which opening may change.
  public func reopen(_ mode: FileMode) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor.open("/proc/self/fd/\(raw)", flags: mode.flags | O_NOCTTY)
  }

  /// Which file it is.
  public func identity() throws(SystemError) -> FileIdentity {
    let status = try status()
    return FileIdentity(device: status.device, inode: status.inode)
  }

  public func kind() throws(SystemError) -> FileKind { FileKind(mode: try status().mode) }

  /// Who owns the file, and its permission bits.
  public func ownership() throws(SystemError) -> (uid: UInt32, mode: UInt32) {
    let status = try status()
    return (status.uid, status.mode & 0o7777)
  }

  /// Removes the entry at `path`, which is not a directory.
  public static func remove(_ path: String) throws(SystemError) {
    try LeafName.check(path: path, "unlinkat")
    // SAFETY: the C string lives for the call.
    try check(
      unsafe path.withCString { unsafe cfsr_unlink(CFSR_WORKING_DIRECTORY, $0, 0) }, "unlinkat", on: path)
  }

  /// Lets reads and writes go past the page cache (O_DIRECT); answers false, and changes nothing, where the file
  /// system cannot, or not in single pages. The file has a page at its start to be tried on.
  public func makeDirect() -> Bool {
    guard cfsr_set_direct(raw, 1) == 0 else { return false }
    if let page = try? MappedRegion(anonymous: PageTransfer.pageSize) {
      // SAFETY: a page of our own.
      if unsafe cfsr_read_at(raw, page.base, Int(PageTransfer.pageSize), 0) >= 0 { return true }
    }
    _ = cfsr_set_direct(raw, 0)
    return false
  }

  /// Sets aside blocks for `length` bytes from `offset`, and makes the file as long as that. Unlike `allocate` it
  /// never writes where the file system cannot: EOPNOTSUPP. EFBIG, instead of a signal, beyond this process's limit.
  public func reserveBlocks(at offset: UInt64, length: UInt64) throws(SystemError) {
    let (end, overflow) = offset.addingReportingOverflow(length)
    guard !overflow, end <= min(UInt64(Int64.max), cfsr_file_size_limit()) else {
      throw SystemError("fallocate", on: subject, errno: EFBIG)
    }
    try check(cfsr_fallocate(raw, 0, offset, length), "fallocate", on: subject)
  }

  /// Makes the file `length` bytes long, where it is shorter, without setting blocks aside. EFBIG, instead of a signal,
  /// beyond this process's limit.
  public func lengthen(to length: UInt64) throws(SystemError) {
    guard length <= min(UInt64(Int64.max), cfsr_file_size_limit()) else {
      throw SystemError("ftruncate", on: subject, errno: EFBIG)
    }
    if try size() < length { try truncate(to: length) }
  }

  /// Gives the blocks of `length` bytes from `offset` back: they read as zeros. The file's length stays.
  public func punchHole(at offset: UInt64, length: UInt64) throws(SystemError) {
    guard length <= UInt64(Int64.max), offset <= UInt64(Int64.max) - length else {
      throw SystemError("fallocate", on: subject, errno: EFBIG)
    }
    try check(cfsr_fallocate(raw, CFSR_PUNCH_HOLE, offset, length), "fallocate PUNCH_HOLE", on: subject)
  }
}

extension SystemError {
  /// Whether there is no room: the disk, a quota or a limit of this process is at its end.
  public var isFull: Bool { errno == ENOSPC || errno == EDQUOT || errno == EFBIG }
  /// Whether the file system is mounted for reading only.
  public var isReadOnly: Bool { errno == EROFS }
  /// Whether this kind of file, or this kernel, has no such thing.
  public var isUnsupported: Bool { errno == EOPNOTSUPP || errno == ENOSYS }
  /// Whether the kernel cannot copy between two such files by itself, though their bytes may be moved.
  public var isNoCopy: Bool {
    isUnsupported || [EXDEV, EINVAL, EPERM, EACCES, ETXTBSY, EBADF].contains(errno)
  }
}

/// The user whose rights this process has.
public enum EffectiveUser {
  public static var id: UInt32 { geteuid() }
}
