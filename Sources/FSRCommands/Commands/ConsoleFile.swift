internal import FSRSystem

/// The file that `fsr run --console` names, made where it is missing.
struct ConsoleFile {
  /// Absolute: it is told to people who are elsewhere.
  let path: String
  private let folder: String
  private let leaf: String
  private let isNew: Bool

  /// - Throws: `Failure` `usage` where it cannot be named.
  init(_ path: String) throws(Failure) {
    self.path = try WorkingDirectory.absolute(path)
    let parts = self.path.split(separator: "/").map(String.init)
    folder = "/" + parts.dropLast().joined(separator: "/")
    leaf = parts.last ?? ""
    isNew = (try? Directory.open(folder).exists(leaf)) == false
  }

  /// How long another process may take to close the file, in nanoseconds: a VMM whose guest has ended is about to.
  private static let timeout: UInt64 = 1_000_000_000

  /// - Throws: `SystemError` where it cannot be opened; `Failure` `refused` where another process has the same plain file
  ///   open for writing, since a VM with it could not be handed over.
  func open() throws -> OwnedDescriptor {
    // A terminal may take less than it says, and whoever waits for the rest holds up a handoff. Opened by its path,
    // it is nobody else's.
    let file = try OwnedDescriptor.open(path, .appendWithoutWaiting)
    var search = WriterSearch()
    try search.look(for: file, token: 0)
    if let writer = (try? search.writers(timeout: Self.timeout))?.first {
      throw Failure(
        .refused,
        "the console file \(path) is open for writing in process \(writer.pid) (\(writer.command)); name another with --console"
      )
    }
    return file
  }

  /// This process's standard output, for a VM.
  static func standardOutput() throws -> OwnedDescriptor {
    let file = try OwnedDescriptor.standardOutput()
    guard file.isWritable else {
      throw Failure(.refused, "standard output is closed; name a file for the guest's console with --console")
    }
    // Here too a write may wait for whoever reads. Others have this one, so it is opened anew where that may be.
    if [.pipe, .device].contains(try file.kind()),
      let own = try? OwnedDescriptor.open("/proc/self/fd/1", .appendWithoutWaiting)
    {
      return own
    }
    return file
  }

  /// Removes it again where it was made for a VM that did not come to run, and nobody has written to it.
  func withdraw() {
    guard isNew, let parent = try? Directory.open(folder), let file = try? parent.openFile(leaf, .read),
      (try? file.size()) == 0
    else { return }
    try? parent.unlink(leaf)
  }
}
