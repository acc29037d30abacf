internal import FSRSystem

/// Where this process was started: paths that another process is to open are made absolute by it.
enum WorkingDirectory {
  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    let here = (try? Directory.open(".").path()) ?? ""
    return here + "/" + path
  }
}
