/// A page of the manual (man(7)), section 1.
struct ManualPage {
  /// The words that name its command: `fsr handoff`.
  let words: [String]
  private let command: CommandDescription

  /// Without the section: `fsr-handoff`.
  var name: String { words.joined(separator: "-") }

  /// Those of `command` and of all commands in it; `words` name what it is in.
  static func all(of command: CommandDescription, behind words: [String] = []) -> [ManualPage] {
    let page = ManualPage(words: words + [command.commandName], command: command)
    return [page] + command.shownSubcommands.flatMap { all(of: $0, behind: page.words) }
  }

  /// - Parameter others: the names of all pages that there are.
  func text(among others: [String]) -> String {
    var lines = [".TH \(name.uppercased()) 1 \"\" fsr \"User commands\"", ".SH NAME"]
    lines.append(Self.plain("\(name) - \(command.abstract ?? "")"))
    lines += [".SH SYNOPSIS", ".B \(Self.plain(words.joined(separator: " ")))"]
    lines += command.shownArguments.map { Self.plain($0.usage) }
    if !command.shownSubcommands.isEmpty { lines.append(Self.plain("[subcommand]")) }
    lines.append(".SH DESCRIPTION")
    lines += Self.paragraphs(command.discussion ?? command.abstract ?? "")
    if !command.shownSubcommands.isEmpty {
      lines.append(".SH SUBCOMMANDS")
      for one in command.shownSubcommands {
        lines += [".TP", ".B \(Self.plain(one.commandName))", Self.plain(one.abstract ?? "")]
      }
    }
    if !command.shownArguments.isEmpty {
      lines.append(".SH OPTIONS")
      for one in command.shownArguments {
        let choice = one.allValues == nil ? nil : one.defaultValue.map { " (default: \($0))" }
        lines += [".TP", ".B \(Self.plain(one.text))", Self.plain((one.abstract ?? "") + (choice ?? ""))]
      }
    }
    lines.append(".SH EXIT STATUS")
    for code in FSRExit.allCases { lines += [".TP", ".B \(code.rawValue)", Self.plain(code.meaning)] }
    let related = others.filter { $0 != name && ($0.hasPrefix(name + "-") || name.hasPrefix($0)) }
    if !related.isEmpty {
      lines += [".SH SEE ALSO", related.map { ".BR \(Self.plain($0)) (1)" }.joined(separator: " ,\n")]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Paragraphs, and as they stand the lines that begin with blanks.
  private static func paragraphs(_ text: String) -> [String] {
    var lines: [String] = []
    var isVerbatim = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isIndented = line.hasPrefix("  ")
      if isIndented != isVerbatim { lines.append(isIndented ? ".nf" : ".fi") }
      isVerbatim = isIndented
      lines.append(line.isEmpty ? ".PP" : plain(String(line)))
    }
    return isVerbatim ? lines + [".fi"] : lines
  }

  /// Text in which nothing is a request or an escape.
  private static func plain(_ text: String) -> String {
    let escaped = String(text.flatMap { $0 == "\\" ? Array("\\e") : $0 == "-" ? Array("\\-") : [$0] })
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }
}
