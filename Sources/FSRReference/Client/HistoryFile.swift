internal import FSRSystem

/// A VM's history: a file of one record in JSON on each line, oldest first. Where it comes to its limit the older half
/// of it goes.
public struct HistoryFile: Equatable, Sendable {
  /// Bytes that the file has at most, and a record more, and that are read of a longer one: the newest.
  package static let sizeLimit: UInt64 = 16 << 20
  /// Bytes in a line at most. A record has a dozen phases and a reason of half a kilobyte.
  package static let lineLimit = 64 << 10

  private static let lineEnd = UInt8(ascii: "\n")

  /// Oldest first.
  public var records: [HistoryRecord] = []
  /// Lines that are no record: cut short, too long, or written by somebody else.
  public var skipped = 0
  /// Bytes before those that were read.
  public var unreadBytes: UInt64 = 0

  init() {}

  /// Takes apart what was read.
  ///
  /// - Parameter isTail: the first line may have begun earlier, and is left out.
  package init(_ bytes: [UInt8], isTail: Bool = false) {
    var lines = bytes.split(separator: Self.lineEnd, omittingEmptySubsequences: false)[...]
    if isTail { lines = lines.dropFirst() }
    for line in lines where !line.isEmpty {
      if line.count <= Self.lineLimit, let record = try? HistoryRecord(line: line) {
        records.append(record)
      } else {
        skipped += 1
      }
    }
  }

  /// Reads the history of a VM, whatever has become of it; one that has none yet has an empty one.
  ///
  /// - Throws: `VMError` where the file cannot be read.
  public static func read(in folder: borrowing VMFolder) throws(VMError) -> HistoryFile {
    do throws(SystemError) {
      let file = try folder.directory.openFile(VMFolderNames.history, .read)
      let size = try file.size()
      let start = size > sizeLimit ? size - sizeLimit : 0
      let bytes = try file.read(at: start, count: Int(min(size, sizeLimit)))
      var history = HistoryFile(bytes, isTail: start > 0)
      history.unreadBytes = start
      return history
    } catch {
      if error.isMissing { return HistoryFile() }
      throw VMError(.other, "the history of \(folder.name) cannot be read: \(error)")
    }
  }

  /// How many handoffs a forecast goes by, the newest, and how many there must be.
  private static let forecastWindow = 20
  private static let forecastLeast = 3

  /// How long the guest will stand still in a handoff, in microseconds: as in the middle one of the newest that went
  /// through. Nil where too few are known.
  public var expectedDowntime: UInt64? {
    let known = records.reversed().lazy.filter { $0.event == "handoff" && $0.victor == "destination" }
      .compactMap(\.downtimeMicroseconds).prefix(Self.forecastWindow).sorted()
    return known.count < Self.forecastLeast ? nil : known[known.count / 2]
  }

  /// Adds a record, on a line of its own also where the last one was cut short.
  static func append(_ record: HistoryRecord, in folder: borrowing VMFolder) throws(SystemError) {
    // It is as good in a file that is too long.
    try? makeRoom(in: folder)
    let file = try folder.directory.openFile(VMFolderNames.history, .append)
    let size = try file.size()
    var line = record.line
    if size > 0 {
      let last = try folder.directory.openFile(VMFolderNames.history, .read).read(at: size - 1, count: 1)
      if last != [lineEnd] { line.insert(lineEnd, at: 0) }
    }
    try file.write(line)
  }

  /// Leaves the older half of a file away that has come to its limit. Who appends at that very moment may do so in vain.
  private static func makeRoom(in folder: borrowing VMFolder) throws(SystemError) {
    let file = try folder.directory.openFile(VMFolderNames.history, .append)
    let size = try file.size()
    guard size > sizeLimit, try file.tryLock() else { return }
    let start = size - sizeLimit / 2
    let newest = try folder.directory.openFile(VMFolderNames.history, .read)
      .read(at: start, count: Int(sizeLimit / 2))
    try? folder.directory.unlink(VMFolderNames.draft(of: VMFolderNames.history))
    let next = try folder.directory.openFile(VMFolderNames.draft(of: VMFolderNames.history), .createNew)
    // The first line began earlier.
    try next.write(Array(newest[((newest.firstIndex(of: lineEnd) ?? newest.count - 1) + 1)...]))
    try folder.directory.rename(
      VMFolderNames.draft(of: VMFolderNames.history), to: VMFolderNames.history, replacing: true)
  }
}
