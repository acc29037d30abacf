import FSRClient
import FSRHandoff
import FSRSystem
import Foundation
import Testing

/// What the pages say of the code, as far as a machine can tell.
@Suite struct DocumentationTests {
  private static func pages() throws -> [SourceTree.File] {
    try [SourceTree.file("README.md")] + SourceTree.files(in: "docs", endings: ["md"])
  }

  @Test func everyLinkLeadsToAFileAndItsHeading() throws {
    let link = try Regex(#"\]\(([^)\s]+)\)"#)
    for page in try Self.pages() {
      let folder = page.path.contains("/") ? "docs/" : ""
      for match in page.text.matches(of: link) {
        let target = String(match.output[1].substring ?? "")
        if target.contains("://") { continue }
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(
          String.init)
        let path = parts[0].isEmpty ? page.path : folder + parts[0]
        guard SourceTree.exists(path) else {
          Issue.record("\(page.path): a link to \(target), which is not there")
          continue
        }
        if parts.count == 2, !Self.headings(try SourceTree.file(path)).contains(parts[1]) {
          Issue.record("\(page.path): \(target) names no heading")
        }
      }
    }
  }

  /// The anchors of a page's headings: lower case, hyphens for spaces, no other punctuation.
  private static func headings(_ page: SourceTree.File) -> Set<String> {
    Set(
      page.lines.filter { $0.hasPrefix("#") }.map { line in
        line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
          .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
          .replacingOccurrences(of: " ", with: "-")
      })
  }

  @Test func everyFileThatAPageNamesIsThere() throws {
    let name = try Regex(#"`((?:Sources|Tests|docs|\.ci)/[^`\s]*)`"#)
    for page in try Self.pages() {
      for match in page.text.matches(of: name) {
        let path = String(match.output[1].substring ?? "")
        if !SourceTree.exists(path) { Issue.record("\(page.path) names \(path), which is not there") }
      }
    }
  }

  /// Characters of a line: what a terminal and a review show without a break.
  private static let lineLimit = 120

  @Test func noLineOfAPageIsTooLong() throws {
    let pages = try Self.pages()
    #expect(pages.count > 5)
    for page in pages {
      for (index, line) in page.lines.enumerated() where line.count > Self.lineLimit {
        Issue.record(
          "\(page.path):\(index + 1): \(line.count) characters; wrap it, or make a list of its table")
      }
    }
  }

  @Test func theIndexNamesEveryPage() throws {
    let index = try SourceTree.file("docs/README.md").text
    for page in try SourceTree.files(in: "docs", endings: ["md"]) where page.path != "docs/README.md" {
      let name = String(page.path.dropFirst("docs/".count))
      #expect(index.contains("](\(name))"), "docs/README.md does not lead to \(name)")
    }
  }

  @Test func theArchitectureNamesEveryRoom() throws {
    let page = try SourceTree.file("docs/architecture.md").text
    let sources = SourceTree.root.appendingPathComponent("Sources").path
    for room in try FileManager.default.contentsOfDirectory(atPath: sources) where !room.hasPrefix(".") {
      #expect(page.contains("`\(room)`"), "docs/architecture.md says nothing of \(room)")
    }
  }

  @Test func theTestingPageNamesEveryFaultPoint() throws {
    let page = try SourceTree.file("docs/testing.md").text
    for party in Party.allCases {
      for step in FaultPlan.steps(of: party) {
        #expect(page.contains("`\(step)`"), "docs/testing.md does not name \(party):\(step)")
      }
    }
  }

  @Test func theProtocolPageNamesEveryStateAndMark() throws {
    let page = try SourceTree.file("docs/protocol.md").text
    for state in ResumeState.allCases {
      #expect(page.contains("| `\(state)` | \(state.rawValue) |"), "docs/protocol.md: \(state)")
    }
    for mark in TimelineMark.allCases {
      #expect(page.contains("\(mark.rawValue) `\(mark)`"), "docs/protocol.md: \(mark)")
    }
  }

  @Test func theProtocolPageNamesEveryReasonCode() throws {
    let page = try SourceTree.file("docs/protocol.md").text
    for code in ReasonCode.allCases {
      #expect(page.contains("| `\(code)` | \(code.rawValue) |"), "docs/protocol.md: \(code)")
    }
  }

  /// Every code with its meaning and with a remedy, and none that is not there any more.
  @Test func thePagesNameEveryBlocker() throws {
    for (path, heading) in [
      ("docs/command-line.md", "### fsr check"),
      ("docs/operators-guide.md", "## What stands in a handoff's way"),
    ] {
      let lines = try SourceTree.file(path).lines.drop { $0 != heading }.dropFirst()
      let section = lines.prefix { !$0.hasPrefix("#") }
      let rows = section.filter { $0.hasPrefix("- `") || $0.hasPrefix("| `") }.compactMap {
        $0.split(separator: "`").dropFirst().first
      }
      #expect(Set(rows.map(String.init)) == Set(Blocker.Code.allCases.map(\.rawValue)), "\(path): \(rows)")
    }
  }

  @Test func theCommandLinePageNamesEveryCommand() throws {
    let page = try SourceTree.file("docs/command-line.md").text
    let name = try Regex(#"commandName: "([a-z-]+)""#)
    for file in try SourceTree.files(in: "Sources/FSRCommands", endings: ["swift"])
    where !file.text.contains("shouldDisplay: false") {
      for match in file.text.matches(of: name) {
        let command = String(match.output[1].substring ?? "")
        // A subcommand stands behind its command.
        let heading = try Regex("(?m)^### fsr ([a-z-]+ )?\(command)$")
        if command != "fsr" { #expect(page.contains(heading), "\(command) has no heading") }
      }
    }
  }
}
