internal import FSRSystem

/// Where this process was started: paths that another process is to open are made absolute by it.
enum WorkingDirectory {
  /// - Throws: `Failure` `usage` where the place cannot be named.
  static func absolute(_ path: String) throws(Failure) -> String {
    if path.hasPrefix("/") { return path }
    do throws(SystemError) { return try Directory.open(".").path() + "/" + path } catch {
      throw Failure(
        .usage, "the working directory cannot be named: \(error); name \(path) by its path from the root")
    }
  }

  /// The same without the symbolic links on the way to its last part: what a VM finds a file by for as long as it lives is
  /// not to change with a link.
  static func withoutLinks(_ path: String) throws(Failure) -> String {
    let absolute = try absolute(path)
    guard let slash = absolute.lastIndex(of: "/"),
      let folder = try? Directory.open(slash == absolute.startIndex ? "/" : String(absolute[..<slash])).path()
    else { return absolute }
    return (folder == "/" ? "" : folder) + absolute[slash...]
  }
}
