internal import ArgumentParser
internal import FoundationEssentials

/// A command in words: what the parser says of it for other programs.
struct CommandDescription: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String

      var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
    }

    let kind: String
    let abstract: String?
    let defaultValue: String?
    let isOptional: Bool
    let isRepeating: Bool
    let shouldDisplay: Bool
    let names: [Name]?
    let valueName: String?
    let allValues: [String]?

    /// What stands for its value: the choices, where there are some.
    var value: String { allValues?.joined(separator: "|") ?? valueName ?? "value" }

    /// As it is typed.
    var text: String {
      let name = names?.map(\.text).joined(separator: ", ") ?? ""
      switch kind {
      case "positional": return value
      case "flag": return name
      default: return "\(name) \(value)"
      }
    }

    /// In the synopsis.
    var usage: String {
      let shown = isOptional ? "[\(text)]" : text
      return isRepeating ? shown + "..." : shown
    }
  }

  private struct Dump: Decodable { let command: CommandDescription }

  let commandName: String
  let abstract: String?
  let discussion: String?
  let shouldDisplay: Bool
  let arguments: [Argument]?
  let subcommands: [CommandDescription]?

  /// The parser's own help on help needs no description.
  var shownSubcommands: [CommandDescription] {
    (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
  }

  var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }

  /// That of `fsr`, with all others in it.
  static func ofAll() throws -> CommandDescription {
    try JSONDecoder().decode(Dump.self, from: Data(FSRCommand._dumpHelp().utf8)).command
  }
}
