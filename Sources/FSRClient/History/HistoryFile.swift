public import FSRHost
internal import FSRSystem
internal import FoundationEssentials

/// A VM's history: a file of one record in JSON on each line, oldest first. Where it comes to its limit the older half
/// of it goes.
public struct HistoryFile: Equatable, Sendable {
  /// Bytes that are read of a file at most: the newest.
  package static let sizeLimit = HistoryRecord.fileLimit
  /// Bytes in a line at most. A record has a dozen phases and a reason of half a kilobyte.
  package static let lineLimit = 64 << 10

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
    var lines = bytes.split(separator: HistoryRecord.lineEnd, omittingEmptySubsequences: false)[...]
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
}

extension HistoryRecord {
  /// - Throws: `DecodingError` for what is no record.
  init(line: some Sequence<UInt8>) throws {
    self = try JSONDecoder().decode(HistoryRecord.self, from: Data(line))
  }
}
