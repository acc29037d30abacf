import Foundation
import Testing

/// What holds for every line of code.
@Suite struct SourceTests {
  /// Rooms in which an expression may be unsafe.
  private static let unsafeRooms = ["Sources/FSRSystem/", "Sources/CFSRLinux/"]
  /// Lines above an unsafe one in which it says why it is safe.
  private static let reach = 20
  private static let lineLimit = 800

  /// What no file holds, and what to write instead. Put together here, so that this file holds none of it.
  private static let banned: [(text: String, remedy: String)] = [
    ("TO" + "DO", "finish it, or say in docs/ what does not work yet"),
    ("FIX" + "ME", "fix it"),
    ("XX" + "X", "say what it is"),
    ("fatal" + "Error(", "throw, or preconditionFailure for a mistake of our own"),
    ("try" + "!", "throw, or say by preconditionFailure why it cannot fail"),
    (" as" + "! ", "bind with `as?`"),
    ("Mutex<(@" + "Sendable", "hold a Callback: every access wraps a bare closure once more"),
    ("@test" + "able", "test what other rooms can see, or make it package"),
  ]

  @Test func noFileHoldsWhatIsBanned() throws {
    for file in try SourceTree.all() {
      for (index, line) in file.lines.enumerated() {
        for (text, remedy) in Self.banned where line.contains(text) {
          Issue.record("\(file.path):\(index + 1): '\(text)': \(remedy)")
        }
      }
    }
  }

  @Test func noFileIsTooLong() throws {
    for file in try SourceTree.all() where file.lines.count > Self.lineLimit {
      Issue.record("\(file.path) has \(file.lines.count) lines; split it by noun")
    }
  }

  @Test func noFileNamesAPlaceOfOneMachine() throws {
    let standard: Set<String> = [
      "bin", "dev", "etc", "opt", "proc", "run", "sbin", "sys", "tmp", "usr", "var",
    ]
    let path = try Regex(#"(?:^|[\s"'`(=])/([a-z][a-z0-9_-]*)/[a-z]"#)
    for file in try SourceTree.all() where !file.path.hasPrefix("Tests/") {
      for (index, line) in file.lines.enumerated() {
        for match in line.matches(of: path) {
          let first = match.output[1].substring.map(String.init) ?? ""
          if !standard.contains(first), !Self.isInDeviceTree(first) {
            Issue.record("\(file.path):\(index + 1): a path below /\(first)")
          }
        }
      }
    }
  }

  /// Nodes of the board's device tree have paths too.
  private static func isInDeviceTree(_ first: String) -> Bool { ["soc", "cpus", "chosen"].contains(first) }

  /// A folder of tests that is no target is never run.
  @Test func everyFolderOfTestsIsATarget() throws {
    let package = try SourceTree.file("Package.swift").text
    let folders = Set(
      try SourceTree.files(in: "Tests", endings: ["swift"]).map { $0.path.split(separator: "/")[1] })
    #expect(folders.count > 10)
    for folder in folders where !package.contains("\"\(folder)\"") {
      Issue.record("Package.swift knows nothing of Tests/\(folder)")
    }
  }

  /// What links into a VMM, be it somebody else's, brings no Foundation.
  @Test func foundationIsBroughtByClientsAlone() throws {
    let rooms = ["Sources/FSRClient/", "Sources/FSRCommands/"]
    for file in try SourceTree.files(in: "Sources", endings: ["swift"])
    where !rooms.contains(where: { file.path.hasPrefix($0) }) {
      for (index, line) in file.lines.enumerated() where line.contains("import Foundation") {
        Issue.record("\(file.path):\(index + 1) brings Foundation; leave what needs it to FSRClient")
      }
    }
  }

  /// The roof starts the reference VMM as the program `fsr`, and knows nothing else of it.
  @Test func commandsKnowNoVMM() throws {
    for file in try SourceTree.files(in: "Sources/FSRCommands", endings: ["swift"])
    where file.text.contains("import FSRReference") {
      Issue.record("\(file.path) imports FSRReference; ask through FSRClient")
    }
  }

  @Test func onlyTheKernelsEdgeIsUnsafe() throws {
    for file in try SourceTree.files(in: "Sources", endings: ["swift"])
    where !Self.unsafeRooms.contains(where: { file.path.hasPrefix($0) }) {
      for (index, line) in file.lines.enumerated() where Self.isUnsafe(line) {
        Issue.record("\(file.path):\(index + 1): unsafe outside \(Self.unsafeRooms)")
      }
    }
  }

  @Test func everyUnsafeLineSaysWhyItIsSafe() throws {
    for file in try SourceTree.files(in: "Sources/FSRSystem", endings: ["swift"]) {
      // A file whose every line is safe for one reason says it once.
      if file.text.contains("// SAFETY, for all") { continue }
      let lines = file.lines
      for (index, line) in lines.enumerated() where Self.isUnsafe(line) {
        let near = lines[max(0, index - Self.reach)...index]
        if !near.contains(where: { $0.contains("// SAFETY:") }) {
          Issue.record("\(file.path):\(index + 1): unsafe without a `// SAFETY:` above it")
        }
      }
    }
  }

  /// Whether the code of a line, its comment left out, says `unsafe`.
  private static func isUnsafe(_ line: Substring) -> Bool {
    let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
    return code.split { !$0.isLetter && $0 != "_" }.contains { $0 == "unsafe" || $0 == "nonisolated_unsafe" }
  }
}
