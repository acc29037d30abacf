internal import FSRHandoff
public import FSRHost
internal import FSRSystem

/// Reads a VM's log, to which every VMM of that VM appends: it goes on over handoffs.
public struct LogReader: ~Copyable, Sendable {
  /// Bytes looked at in one step, and answered at most.
  private static let chunk = 1 << 16
  /// Bytes at the end that are searched for the beginning of a line.
  private static let reach: UInt64 = 4 << 20

  private let file: OwnedDescriptor
  private var position: UInt64

  /// - Parameter lines: begins with so many last lines; nil for all.
  /// - Throws: `VMError` where there is no log, or it cannot be read.
  public init(of folder: borrowing VMFolder, last lines: Int? = nil) throws(VMError) {
    let file = try Self.open(folder)
    position = try lines.map { lines throws(VMError) in try Self.start(of: lines, in: file) } ?? 0
    self.file = file
  }

  private static func open(_ folder: borrowing VMFolder) throws(VMError) -> OwnedDescriptor {
    do throws(SystemError) { return try folder.directory.openFile(VMFiles.log, .read) } catch {
      throw unreadable(error)
    }
  }

  private static func unreadable(_ error: SystemError) -> VMError {
    VMError(.other, "the log cannot be read: \(error)")
  }

  /// Where the last `lines` lines begin, or as far back as is looked; an end of file ends a line too.
  private static func start(of lines: Int, in file: borrowing OwnedDescriptor) throws(VMError) -> UInt64 {
    var found = 0
    do throws(SystemError) {
      let size = try file.size()
      let limit = size - min(size, reach)
      var end = size
      while end > limit {
        let begin = end - min(end - limit, UInt64(chunk))
        let bytes = try file.read(at: begin, count: Int(end - begin))
        for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
          let next = begin + UInt64(index) + 1
          // The break at the very end begins no line.
          if next == size { continue }
          found += 1
          if found == lines { return next }
        }
        end = begin
      }
      return limit
    } catch { throw unreadable(error) }
  }

  /// What comes next; nothing where nothing was written since. A file that was cut begins anew.
  public mutating func next() throws(VMError) -> [UInt8] {
    do throws(SystemError) {
      if try file.size() < position { position = 0 }
      let bytes = try file.read(at: position, count: Self.chunk)
      position += UInt64(bytes.count)
      return bytes
    } catch { throw Self.unreadable(error) }
  }
}
