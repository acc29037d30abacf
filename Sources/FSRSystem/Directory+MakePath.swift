internal import Glibc

extension Directory {
  /// Opens the directory at the absolute `path`, and makes its last component, mode 0700, if that is missing.
  ///
  /// What is kept in it trusts it, so it is refused with a `SystemError` that says which when the last
  /// component is a symbolic link (ELOOP) or no directory (ENOTDIR), or when the directory is another user's
  /// or group or others may write to it (EPERM).
  public static func makePath(_ path: String) throws(SystemError) -> Directory {
    guard path.hasPrefix("/") else {
      throw SystemError("mkdirat", on: "'\(path)', which is not an absolute path", errno: EINVAL)
    }
    let made = try openOrMake(path)
    let (owner, mode) = try made.ownership()
    guard owner == geteuid() else {
      throw SystemError("openat", on: "\(path), which belongs to user \(owner)", errno: EPERM)
    }
    guard mode & 0o022 == 0 else {
      throw SystemError(
        "openat", on: "\(path), which others may write to (mode \(String(mode, radix: 8)))", errno: EPERM)
    }
    return made
  }

  private static func openOrMake(_ path: String) throws(SystemError) -> Directory {
    var components = path.split(separator: "/")
    while components.last == "." { components.removeLast() }
    // These are there already: the root, and what a directory lies in.
    guard let leaf = components.last.map(String.init), leaf != ".." else { return try open(path) }
    let parent = try passing(through: "/" + components.dropLast().joined(separator: "/"))
    do {
      try parent.make(leaf)
    } catch  where error.errno == EEXIST {
      if try parent.isSymbolicLink(leaf) {
        throw SystemError("openat", on: "\(path), a symbolic link", errno: ELOOP)
      }
    } catch {
      throw SystemError(error.call, on: path, errno: error.errno)
    }
    return try open(leaf, in: parent)
  }

  /// The directory at `path` for what lies in it: not to be read, which its owner need not allow, as of a home folder
  /// that others may only pass through.
  private static func passing(through path: String) throws(SystemError) -> Directory {
    do throws(SystemError) {
      // Itself, where `path` is a link that leads there.
      return try Directory(adopting: OwnedDescriptor.reference(to: path + "/."))
    } catch { throw SystemError("openat", on: path, errno: error.errno) }
  }

  private func isSymbolicLink(_ name: String) throws(SystemError) -> Bool {
    do {
      _ = try readLink(name)
      return true
    } catch  where error.errno == EINVAL {
      return false
    }
  }
}
