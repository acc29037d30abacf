internal import FSRSystem

/// Where a swap file is to lie.
enum SwapPlace {
  /// Says on standard error where swapping would free nothing, as swapon(8) does: pages that go to a file in memory stay
  /// in memory.
  static func warn(of path: String) {
    let folder = path.split(separator: "/").dropLast().joined(separator: "/")
    guard (try? Directory.open("/" + folder).isOnTmpfs()) == true else { return }
    Terminal.errors.line(
      "fsr: the swap file \(path) lies on a tmpfs, which is memory itself: what is swapped there frees none; name a file on a disk"
    )
  }
}
