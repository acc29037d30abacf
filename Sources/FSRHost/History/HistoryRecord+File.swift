package import FSRSystem

/// A VM's history: a file of one record in JSON on each line, oldest first. Where it comes to its limit the older half
/// of it goes.
extension HistoryRecord {
  /// Bytes that the file has at most, and a record more.
  package static let fileLimit: UInt64 = 16 << 20
  package static let lineEnd = UInt8(ascii: "\n")

  /// Adds the record, on a line of its own also where the last one was cut short.
  package func append(in folder: borrowing VMFolder) throws(SystemError) {
    // It is as good in a file that is too long.
    try? Self.makeRoom(in: folder)
    let file = try folder.directory.openFile(VMFolderNames.history, .append)
    let size = try file.size()
    var line = line
    if size > 0 {
      let last = try folder.directory.openFile(VMFolderNames.history, .read).read(at: size - 1, count: 1)
      if last != [Self.lineEnd] { line.insert(Self.lineEnd, at: 0) }
    }
    try file.write(line)
  }

  /// Leaves the older half of a file away that has come to its limit. Who appends at that very moment may do so in vain.
  private static func makeRoom(in folder: borrowing VMFolder) throws(SystemError) {
    let file = try folder.directory.openFile(VMFolderNames.history, .append)
    let size = try file.size()
    guard size > fileLimit, try file.tryLock() else { return }
    let start = size - fileLimit / 2
    let newest = try folder.directory.openFile(VMFolderNames.history, .read)
      .read(at: start, count: Int(fileLimit / 2))
    try? folder.directory.unlink(VMFolderNames.draft(of: VMFolderNames.history))
    let next = try folder.directory.openFile(VMFolderNames.draft(of: VMFolderNames.history), .createNew)
    // The first line began earlier.
    try next.write(Array(newest[((newest.firstIndex(of: lineEnd) ?? newest.count - 1) + 1)...]))
    try folder.directory.rename(
      VMFolderNames.draft(of: VMFolderNames.history), to: VMFolderNames.history, replacing: true)
  }
}
