import Foundation

/// Bytes that a build has written once, in a file below its test target's folder `Fixtures`: who can read them today reads
/// them for good, and who writes the same values writes the same bytes.
///
/// A file that ends in `.hex` is a dump: how many bytes there are, then a line for each 16 of them that are not all zeros,
/// behind their offset. Any other file holds the bytes themselves.
public struct Fixture: Sendable {
  /// What makes the tests write fixtures that are not there yet. One that is there is never written again.
  public static let variable = "FSR_ADD_FIXTURES"

  private let file: URL

  /// - Parameters:
  ///   - name: the path below `Fixtures`.
  ///   - test: a file that lies in the target's folder.
  public init(_ name: String, for test: String = #filePath) {
    file =
      URL(fileURLWithPath: test).deletingLastPathComponent().appendingPathComponent("Fixtures")
      .appendingPathComponent(name).standardizedFileURL
  }

  private var isDump: Bool { file.pathExtension == "hex" }

  /// What the file holds.
  public func bytes() throws -> [UInt8] {
    let content = [UInt8](try Data(contentsOf: file))
    return isDump ? try Self.read(String(decoding: content, as: UTF8.self)) : content
  }

  /// How `written` differs from what the file holds; nil where it does not. Where there is no file, and `variable` is set,
  /// `written` becomes it.
  public func difference(from written: [UInt8]) throws -> String? {
    try addIfMissing { written }
    let held = try bytes()
    for (offset, (old, new)) in zip(held, written).enumerated() where old != new {
      return "\(file.lastPathComponent): byte \(offset) is \(old), and \(new) was written"
    }
    return held.count == written.count
      ? nil : "\(file.lastPathComponent) has \(held.count) bytes, and \(written.count) were written"
  }

  /// Where there is no file, and `variable` is set, what `make` makes becomes it: of bytes that no two writers write alike.
  public func addIfMissing(_ make: () throws -> [UInt8]) throws {
    guard ProcessInfo.processInfo.environment[Self.variable] != nil,
      !FileManager.default.fileExists(atPath: file.path)
    else { return }
    try add(try make())
  }

  private func add(_ bytes: [UInt8]) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let content = isDump ? Array(Self.dump(bytes).utf8) : bytes
    try Data(content).write(to: file, options: .withoutOverwriting)
  }

  // MARK: dumps

  private static let width = 16
  /// More than any encoding that is held takes.
  private static let sizeLimit = 1 << 24

  private static func dump(_ bytes: [UInt8]) -> String {
    var lines = ["\(bytes.count) bytes"]
    for start in stride(from: 0, to: bytes.count, by: width) {
      let row = bytes[start..<min(start + width, bytes.count)]
      if row.allSatisfy({ $0 == 0 }) { continue }
      let digits = row.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      lines.append("\(String(start, radix: 16)): \(digits.joined(separator: " "))")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func read(_ text: String) throws -> [UInt8] {
    let lines = text.split(separator: "\n")
    guard let first = lines.first, first.hasSuffix(" bytes"), let count = Int(first.dropLast(6)),
      count <= sizeLimit
    else { throw Absent() }
    var bytes = [UInt8](repeating: 0, count: count)
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":")
      guard parts.count == 2, let start = Int(parts[0], radix: 16) else { throw Absent() }
      for (index, digits) in parts[1].split(separator: " ").enumerated() {
        guard let byte = UInt8(digits, radix: 16), start + index < count else { throw Absent() }
        bytes[start + index] = byte
      }
    }
    return bytes
  }
}
