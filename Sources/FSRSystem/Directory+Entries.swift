internal import CFSRLinux
internal import Glibc

extension Directory {
  /// Makes the directory `name`, mode 0700; EEXIST if anything has that name.
  public func make(_ name: String) throws(SystemError) {
    // SAFETY: as `call` says.
    unsafe try call("mkdirat", name) { unsafe cfsr_make_directory($0, $1, 0o700) }
  }

  /// Removes the entry `name`, which is not a directory.
  public func unlink(_ name: String) throws(SystemError) {
    // SAFETY: as `call` says.
    unsafe try call("unlinkat", name) { unsafe cfsr_unlink($0, $1, 0) }
  }

  /// Removes the empty directory `name`.
  public func removeDirectory(_ name: String) throws(SystemError) {
    // SAFETY: as `call` says.
    unsafe try call("unlinkat", name) { unsafe cfsr_unlink($0, $1, CFSR_REMOVE_DIRECTORY) }
  }

  /// Renames within this directory, in one step; without `replacing` EEXIST if `to` is taken.
  public func rename(_ from: String, to: String, replacing: Bool) throws(SystemError) {
    try LeafName.check(to, "renameat2")
    let flags = replacing ? 0 : CFSR_RENAME_NOREPLACE
    // SAFETY: as `call` says.
    unsafe try call("renameat2", from) { directory, from in
      // SAFETY: both C strings live for the call.
      unsafe to.withCString { unsafe cfsr_rename(directory, from, $0, flags) }
    }
  }

  /// Makes the symbolic link `name` with the text `target`, which need not exist.
  public func symlink(_ name: String, to target: String) throws(SystemError) {
    try LeafName.check(path: target, "symlinkat")
    // SAFETY: as `call` says.
    unsafe try call("symlinkat", name) { directory, name in
      // SAFETY: both C strings live for the call.
      unsafe target.withCString { unsafe cfsr_symlink(directory, name, $0) }
    }
  }

  /// The text of the symbolic link `name`; EINVAL if it is something else.
  public func readLink(_ name: String) throws(SystemError) -> String {
    try LeafName.check(name, "readlinkat")
    return try SymbolicLink.target(of: name, in: descriptor.raw)
  }

  /// Opens the plain file `name`, close-on-exec, made with mode 0600 where `mode` makes it.
  ///
  /// Whoever may write to the directory may have put anything there, so nothing else is opened, and nothing is waited
  /// for: a symbolic link is ELOOP, a directory EISDIR, a pipe, a socket or a device EINVAL, and a file that belongs
  /// neither to the directory's owner nor to root nor to this process's user EPERM.
  public func openFile(_ name: String, _ mode: FileMode) throws(SystemError) -> OwnedDescriptor {
    // Opening a device may do something already; what has the name by then is looked at below.
    if let status = try status(of: name) { try checkIsPlain(status.mode, name) }
    let flags = mode.flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    // SAFETY: as `call` says.
    let raw = unsafe try call("openat", name) { unsafe cfsr_open($0, $1, flags, 0o600) }
    let file = OwnedDescriptor(adopting: raw)
    let status = try file.status()
    try checkIsPlain(status.mode, name)
    if status.uid != 0, status.uid != geteuid(), status.uid != (try ownership().uid) {
      throw SystemError("openat", on: "\(name), which belongs to user \(status.uid)", errno: EPERM)
    }
    return file
  }

  private func checkIsPlain(_ mode: UInt32, _ name: String) throws(SystemError) {
    switch FileKind(mode: mode) {
    case .plain: return
    case .symbolicLink: throw SystemError("openat", on: name, errno: ELOOP)
    case .directory: throw SystemError("openat", on: name, errno: EISDIR)
    case .pipe, .socket, .device:
      throw SystemError("openat", on: "\(name), which is no plain file", errno: EINVAL)
    }
  }

  /// Nil where nothing has the name `name`.
  private func status(of name: String) throws(SystemError) -> cfsr_status? {
    var status = cfsr_status()
    do throws(SystemError) {
      // SAFETY: as `call` says; the status is written by the call alone.
      unsafe try call("fstatat", name) { unsafe cfsr_status_at($0, $1, &status) }
      return status
    } catch {
      if error.errno == ENOENT { return nil }
      throw error
    }
  }

  /// What kind of thing has the name `name`, a link being one itself; nil where nothing has.
  public func kind(of name: String) throws(SystemError) -> FileKind? {
    try status(of: name).map { FileKind(mode: $0.mode) }
  }

  /// Whether anything has the name `name`, a dangling link included.
  public func exists(_ name: String) throws(SystemError) -> Bool { try status(of: name) != nil }

  /// Who owns the entry `name`, and its permission bits; of a link, the link's own.
  public func ownership(of name: String) throws(SystemError) -> (uid: UInt32, mode: UInt32) {
    var status = cfsr_status()
    // SAFETY: as `call` says; the status is written by the call alone.
    unsafe try call("fstatat", name) { unsafe cfsr_status_at($0, $1, &status) }
    return (status.uid, status.mode & 0o7777)
  }

  /// Whether the entry `name` is a plain file; false of a link, whatever it leads to.
  public func isRegularFile(_ name: String) throws(SystemError) -> Bool { try kind(of: name) == .plain }

  /// Whether the entry `name` is the very thing that `descriptor` leads to.
  public func isEntry(_ name: String, of descriptor: borrowing OwnedDescriptor) throws(SystemError) -> Bool {
    let mine = try descriptor.identity()
    return try status(of: name).map { FileIdentity(device: $0.device, inode: $0.inode) == mine } ?? false
  }

  /// Calls with this directory's number and `name` as a C string, which lives for the call and no longer.
  @discardableResult
  private func call(_ call: String, _ name: String, _ body: (Int32, UnsafePointer<CChar>) -> Int32)
    throws(SystemError) -> Int32
  {
    try LeafName.check(name, call)
    let number = descriptor.raw
    // SAFETY: the C string lives for the call.
    return try check(unsafe name.withCString { unsafe body(number, $0) }, call, on: name)
  }
}

/// Reading symbolic links.
enum SymbolicLink {
  /// The text of the link at `path`.
  static func target(of path: String) throws(SystemError) -> String {
    try target(of: path, in: CFSR_WORKING_DIRECTORY)
  }

  /// Bytes in a link's text (PATH_MAX).
  static let limit = 4096

  static func target(of name: String, in directory: Int32) throws(SystemError) -> String {
    var answer: Int64 = 0
    // SAFETY: the kernel writes at most the capacity and answers how much it wrote.
    let text = unsafe [UInt8](unsafeUninitializedCapacity: limit) { bytes, written in
      unsafe answer = name.withCString {
        unsafe cfsr_read_link(directory, $0, bytes.baseAddress!, bytes.count)
      }
      written = max(0, Int(answer))
    }
    try check(answer, "readlinkat", on: name)
    // Repaired it would lead elsewhere.
    guard let target = String(validating: text, as: UTF8.self) else {
      throw SystemError("readlinkat", on: "\(name), whose text is not UTF-8", errno: EILSEQ)
    }
    return target
  }
}
