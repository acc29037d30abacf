internal import FSRSystem

/// A file that is to be written once a handoff is over: its place is taken before, and what stands there under its
/// name is replaced at the end, in one step.
struct TraceFile: ~Copyable {
  /// Bytes for which there has to be room: a trace has a few dozen events and three reasons.
  private static let room: UInt64 = 64 << 10

  private let directory: Directory
  private let name: String
  private let draft: String
  private let file: OwnedDescriptor

  /// - Throws: `Failure` `refused` where it cannot be written.
  init(at path: String) throws(Failure) {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let name = parts.removeLast()
    let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
    let draft = "\(name.prefix(100)).\(ProcessIdentity.current().pid).new"
    let directory = try Self.open(folder, for: name, path)
    file = try Self.open(draft, in: directory, path)
    self.directory = directory
    self.name = name
    self.draft = draft
  }

  private static func open(_ folder: String, for name: String, _ path: String) throws(Failure) -> Directory {
    do {
      let directory = try Directory.open(folder)
      if try directory.exists(name), try !directory.isRegularFile(name) {
        throw refusal(path, "what is there is no plain file; name another")
      }
      return directory
    } catch { throw (error as? Failure) ?? refusal(path, "\(error)") }
  }

  private static func open(_ draft: String, in directory: borrowing Directory, _ path: String)
    throws(Failure) -> OwnedDescriptor
  {
    do throws(SystemError) {
      let file = try directory.openFile(draft, .createNew)
      do throws(SystemError) { try file.allocate(at: 0, length: room) } catch {
        try? directory.unlink(draft)
        throw error
      }
      return file
    } catch { throw refusal(path, "\(error)") }
  }

  private static func refusal(_ path: String, _ why: String) -> Failure {
    Failure(.refused, "the trace cannot be written to \(path): \(why)")
  }

  /// Puts the file in its place.
  consuming func write(_ bytes: [UInt8]) throws(SystemError) {
    try file.write(bytes, at: 0)
    try file.truncate(to: UInt64(bytes.count))
    try directory.rename(draft, to: name, replacing: true)
  }

  /// Leaves everything as it was, unless it was written.
  deinit { try? directory.unlink(draft) }
}
