internal import FSRSystem

/// The file that `fsr run --console` names, made where it is missing.
struct ConsoleFile {
  /// Absolute: it is told to people who are elsewhere.
  let path: String
  private let folder: String
  private let leaf: String
  private let isNew: Bool

  init(_ path: String) {
    self.path = WorkingDirectory.absolute(path)
    let parts = self.path.split(separator: "/").map(String.init)
    folder = "/" + parts.dropLast().joined(separator: "/")
    leaf = parts.last ?? ""
    isNew = (try? Directory.open(folder).exists(leaf)) == false
  }

  func open() throws(SystemError) -> OwnedDescriptor {
    // A terminal may take less than it says, and whoever waits for the rest holds up a handoff. Opened by its path,
    // it is nobody else's.
    try OwnedDescriptor.open(path, .appendWithoutWaiting)
  }

  /// Removes it again where it was made for a VM that did not come to run, and nobody has written to it.
  func withdraw() {
    guard isNew, let parent = try? Directory.open(folder), let file = try? parent.openFile(leaf, .read),
      (try? file.size()) == 0
    else { return }
    try? parent.unlink(leaf)
  }
}
