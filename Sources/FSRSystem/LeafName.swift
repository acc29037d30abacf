import Glibc

/// The rule for one entry's name in a directory: no way out of it, and nothing that C would cut short.
enum LeafName {
  /// Bytes in a name (NAME_MAX).
  static let limit = 255

  /// Throws EINVAL or ENAMETOOLONG for what cannot be an entry's name.
  static func check(_ name: String, _ call: String) throws(SystemError) {
    guard name.utf8.count <= limit else { throw SystemError(call, on: name, errno: ENAMETOOLONG) }
    let refused = name.isEmpty || name == "." || name == ".." || name.utf8.contains { $0 == 0 || $0 == 0x2f }
    if refused { throw SystemError(call, on: "'\(name)', which is not a single name", errno: EINVAL) }
  }

  /// Throws EINVAL for a path that C would read as a shorter one, or that is empty.
  static func check(path: String, _ call: String) throws(SystemError) {
    if path.isEmpty || path.utf8.contains(0) { throw SystemError(call, on: "'\(path)'", errno: EINVAL) }
  }
}
