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
}
