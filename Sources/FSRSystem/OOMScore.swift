internal import Glibc

/// How soon the kernel ends a process where memory runs out (/proc/self/oom_score_adj), raised for a while: this process
/// is the first to go until `putBack`.
public struct RaisedOOMScore: ~Copyable, Sendable {
  /// What makes a process the first to go.
  static let highest: Int32 = 1000
  private static let path = "/proc/self/oom_score_adj"

  /// Kept open, for a time in which there may be no descriptor left.
  private let file: OwnedDescriptor
  private let before: Int32
  /// Makes up for what the kernel leaves out where it counts the score in memory, and for the little that a process has
  /// which has just been started: mappings of a file, which take next to no memory and count all the same.
  private var ballast: [Owned<MappedRegion>]
  /// Bytes of the file, and of all mappings.
  private static let ballastFile: UInt64 = 4 << 20
  private static let ballastSize: UInt64 = 64 << 20

  /// Nil where it can be neither raised nor, afterwards, put back.
  ///
  /// A process with CAP_SYS_RESOURCE that raises its score raises with it what it may go back to once it has dropped that
  /// right: so it is done without.
  ///
  /// - Parameter hasBallast: whether this process is to be counted as larger than it is, until `shed`.
  public init?(hasBallast: Bool) {
    guard let file = try? OwnedDescriptor.open(Self.path, .readWrite), let before = Self.score(file) else {
      return nil
    }
    let isRaised = Capabilities.without(.sysResource) {
      // What cannot be written as it is could not be put back.
      (try? Self.set(before, file)) != nil && (try? Self.set(Self.highest, file)) != nil
    }
    guard isRaised else { return nil }
    self.file = file
    self.before = before
    ballast = hasBallast ? Self.makeBallast() : []
  }

  /// What cannot be mapped is left out.
  private static func makeBallast() -> [Owned<MappedRegion>] {
    guard let program = try? OwnedDescriptor.open("/proc/self/exe", .read), let size = try? program.size()
    else { return [] }
    let length = min(size, ballastFile) / PageTransfer.pageSize * PageTransfer.pageSize
    guard length > 0 else { return [] }
    return (0..<min(64, ballastSize / length)).compactMap { _ in
      guard let one = try? MappedRegion(mapping: program, length: length, writable: false, populate: true)
      else { return nil }
      return Owned(one)
    }
  }

  /// Is as large as it is again.
  public mutating func shed() { ballast = [] }

  /// Gives this process the score that it had.
  public consuming func putBack() throws(SystemError) { try Self.set(before, file) }

  private static func score(_ file: borrowing OwnedDescriptor) -> Int32? {
    guard let text = try? file.read(at: 0, count: 64) else { return nil }
    return Int32(String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace })
  }

  private static func set(_ score: Int32, _ file: borrowing OwnedDescriptor) throws(SystemError) {
    try file.write(Array("\(score)".utf8))
  }
}
