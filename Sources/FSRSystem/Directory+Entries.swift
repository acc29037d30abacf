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

  /// Opens the file `name`, close-on-exec, made with mode 0600 where `mode` makes it. A symbolic link is
  /// refused (ELOOP).
  public func openFile(_ name: String, _ mode: FileMode) throws(SystemError) -> OwnedDescriptor {
    let flags = mode.flags | O_NOFOLLOW
    // SAFETY: as `call` says.
    let raw = unsafe try call("openat", name) { unsafe cfsr_open($0, $1, flags, 0o600) }
    return OwnedDescriptor(adopting: raw)
  }

  /// Whether anything has the name `name`, a dangling link included.
  public func exists(_ name: String) throws(SystemError) -> Bool {
    var status = cfsr_status()
    do {
      // SAFETY: as `call` says.
      unsafe try call("fstatat", name) { unsafe cfsr_status_at($0, $1, &status) }
      return true
    } catch  where error.errno == ENOENT {
      return false
    }
  }

  /// Who owns the entry `name`, and its permission bits; of a link, the link's own.
  public func ownership(of name: String) throws(SystemError) -> (uid: UInt32, mode: UInt32) {
    var status = cfsr_status()
    // SAFETY: as `call` says; the status is written by the call alone.
    unsafe try call("fstatat", name) { unsafe cfsr_status_at($0, $1, &status) }
    return (status.uid, status.mode & 0o7777)
  }

  /// Whether the entry `name` is a plain file; false of a link, whatever it leads to.
  public func isRegularFile(_ name: String) throws(SystemError) -> Bool {
    var status = cfsr_status()
    // SAFETY: as `call` says; the status is written by the call alone.
    unsafe try call("fstatat", name) { unsafe cfsr_status_at($0, $1, &status) }
    return status.mode & S_IFMT == S_IFREG
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
