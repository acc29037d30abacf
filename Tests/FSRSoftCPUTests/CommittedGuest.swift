import FSRGuestSupport
import FSRTestSupport
import Foundation
import Testing

/// A guest whose sources lie beside the Swift file that holds its ELF in base 64.
struct CommittedGuest {
  private static let machine = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/FSRMachine").standardizedFileURL

  private let folder: URL
  private let script: String
  private let sources: [String]
  private let headers: [String]
  private let image: String

  init(folder: String, script: String, sources: [String], headers: [String] = [], image: String) {
    self.folder = Self.machine.appendingPathComponent(folder)
    self.script = script
    self.sources = sources
    self.headers = headers
    self.image = image
  }

  /// What the sources give now.
  func build() throws -> [UInt8] {
    let files = try (sources + headers + [script]).map { name in
      GuestProgram.File(
        name, try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8))
    }
    return try GuestProgram.build(files, ["-Wl,-T,\(script)"] + sources)
  }

  /// Puts `built` into the Swift file where FSR_UPDATE_SOAK_IMAGE is set: the way to bring it up to date after a
  /// change of the sources, or of the toolchain.
  func isToBeRenewed(with built: [UInt8]) throws -> Bool {
    guard ProcessInfo.processInfo.environment["FSR_UPDATE_SOAK_IMAGE"] != nil else { return false }
    let file = folder.appendingPathComponent(image)
    let old = try String(contentsOf: file, encoding: .utf8)
    let parts = old.split(separator: "\"\"\"", omittingEmptySubsequences: false)
    try #require(parts.count == 3)
    let text = Array(Data(built).base64EncodedString())
    let lines = stride(from: 0, to: text.count, by: 96).map { start in
      "    " + String(text[start..<min(start + 96, text.count)])
    }
    let quotes = "\"\"\""
    let new = "\(parts[0])\(quotes)\n\(lines.joined(separator: "\\\n"))\n    \(quotes)\(parts[2])"
    try new.write(to: file, atomically: true, encoding: .utf8)
    return true
  }
}
