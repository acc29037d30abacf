import Foundation

/// The tables of docs/protocol.md and docs/control-socket.md, and what the sources declare that has to stand there.
struct ProtocolPage {
  private let lines: [Substring]

  init() throws {
    lines = try ["protocol", "control-socket"].flatMap { name in
      try SourceTree.file("docs/\(name).md").lines.map { Substring($0) }
    }
  }

  var text: String { lines.joined(separator: "\n") }

  /// The rows of what stands below `heading`, down to the next heading of any level: their cells.
  func rows(_ heading: String) -> [[String]] {
    lines.drop { $0 != heading }.dropFirst().prefix { !$0.hasPrefix("#") }.filter { $0.hasPrefix("| ") }.map {
      row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// Number and name of each row below `heading` that begins with both.
  func numbers(_ heading: String) -> [String: UInt64] {
    var found: [String: UInt64] = [:]
    for row in rows(heading) where row.count > 1 {
      if let number = UInt64(row[0]), row[1].hasPrefix("`") { found[Self.bare(row[1])] = number }
    }
    return found
  }

  /// What the rows below `heading` begin with, where that is a name.
  func names(_ heading: String) -> Set<String> {
    Set(rows(heading).compactMap { $0.first }.filter { $0.hasPrefix("`") }.map(Self.bare))
  }

  private static func bare(_ cell: String) -> String { cell.filter { $0 != "`" } }
}

/// A file of the sources, by what it declares.
struct Declarations {
  private let lines: [Substring]

  init(_ path: String) throws { lines = try SourceTree.file("Sources/\(path)").lines }

  private init(_ lines: [Substring]) { self.lines = lines }

  /// Of what is declared in the type whose line holds `opening`, down to its closing brace.
  func inside(_ opening: String) -> Declarations {
    let body = lines.drop { !$0.contains(opening) }
    let indent = body.first?.prefix { $0 == " " } ?? ""
    return Declarations(Array(body.dropFirst().prefix { $0 != indent + "}" }))
  }

  /// Of what stands ahead of the first line that holds `mark`, or from there on.
  func parts(at mark: String) -> (ahead: Declarations, behind: Declarations) {
    let split = lines.firstIndex { $0.contains(mark) } ?? lines.endIndex
    return (Declarations(Array(lines[..<split])), Declarations(Array(lines[split...])))
  }

  /// The two groups of `pattern` on each line that has it.
  func matches(_ pattern: String) throws -> [(String, String)] {
    let regex = try Regex(pattern)
    return lines.flatMap { line in
      line.matches(of: regex).map { match in
        let groups = (1..<match.output.count).map { match.output[$0].substring.map(String.init) ?? "" }
        return (groups[0], groups.count > 1 ? groups[1] : "")
      }
    }
  }

  /// Constants of one of `types` whose values are decimal numbers.
  func constants(_ types: String) throws -> [String: UInt64] {
    var found: [String: UInt64] = [:]
    for (name, value) in try matches(#"static let (\w+): (?:\#(types)) = (\d+)\s*(?://.*)?$"#) {
      found[name] = UInt64(value)
    }
    return found
  }

  /// Constants whose values are texts.
  func texts() throws -> Set<String> { Set(try matches(#"static let \w+ = "([a-z.-]+)""#).map(\.0)) }

  /// What stands behind `case` on each line that declares some, and no more.
  func lists() -> [Substring] {
    lines.compactMap { line in
      let words = line.drop { $0 == " " }
      return words.hasPrefix("case ") && !words.contains { ":({\"".contains($0) } ? words.dropFirst(5) : nil
    }
  }

  /// The cases of an enumeration whose first has a number, and each other the next one.
  func cases() -> [String: UInt64] {
    var found: [String: UInt64] = [:]
    var next: UInt64 = 0
    for list in lists() {
      for one in list.split(separator: ",") {
        let parts = one.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
        if parts.count == 2, let number = UInt64(parts[1]) { next = number }
        found[parts[0]] = next
        next += 1
      }
    }
    return found
  }
}
