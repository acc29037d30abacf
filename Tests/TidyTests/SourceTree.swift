import Foundation

/// The package's own files, found from where this one lies.
enum SourceTree {
  /// The folder with the package's manifest.
  static let root: URL = {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      if FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
        return folder
      }
    }
    preconditionFailure("a test lies in its package")
  }()

  /// One text file, and where it lies below the root.
  struct File {
    let path: String
    let text: String

    /// All lines, so that a line's index and its number differ by one.
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  }

  /// The files below `folder` with one of `endings`, hidden ones left out, in the order of their paths.
  static func files(in folder: String, endings: Set<String>) throws -> [File] {
    let start = root.appendingPathComponent(folder)
    guard
      let found = FileManager.default.enumerator(
        at: start, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
    else { return [] }
    let paths = found.compactMap { ($0 as? URL)?.standardizedFileURL.path }
      .filter { endings.contains(URL(fileURLWithPath: $0).pathExtension) }
    return try paths.sorted().map { path in
      File(
        path: String(path.dropFirst(root.standardizedFileURL.path.count + 1)),
        text: try String(contentsOfFile: path, encoding: .utf8))
    }
  }

  /// One file, by its path below the root.
  static func file(_ path: String) throws -> File {
    File(
      path: path, text: try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8))
  }

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).standardizedFileURL.path)
  }

  /// Everything that is written by hand: code, manifest and pages.
  static func all() throws -> [File] {
    let code: Set<String> = ["swift", "c", "h", "S", "ld"]
    return try files(in: "Sources", endings: code) + files(in: "Tests", endings: code)
      + files(in: "docs", endings: ["md"]) + [file("README.md"), file("Package.swift")]
      + [file(".ci/setup"), file(".ci/run")]
  }
}
