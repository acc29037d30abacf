internal import Synchronization

/// Completes the commands that sentences advise, as "`fsr recover`", so that they can be typed as they stand: with the
/// runtime folder that was given, and with the name of the VM that it is about.
package struct Hints: Equatable, Sendable {
  /// As it was given by an option; nil where it was not, since the environment stays.
  package var folder: String?
  /// Of the VM that the command is about; nil of one that is about none.
  package var name: String?

  package init(folder: String? = nil, name: String? = nil) {
    self.folder = folder
    self.name = name
  }

  /// Those of this process's command line.
  static var current: Hints {
    get { stored.withLock { $0 } }
    set { stored.withLock { $0 = newValue } }
  }

  private static let stored = Mutex(Hints())

  /// Commands about one VM, and others that look into a runtime folder.
  private static let ofVMs: Set<Substring> = [
    "abort", "check", "console", "handoff", "history", "log", "pause", "recover", "resume", "run", "status",
    "stop",
  ]
  private static let ofFolders: Set<Substring> = ["ledger", "list"]

  /// `text` with its commands completed.
  ///
  /// - Parameter isJSON: whether the text is JSON, whose strings must stay strings.
  package func complete(_ text: String, isJSON: Bool = false) -> String {
    guard text.contains("`fsr ") else { return text }
    // What is between two backticks has an odd number.
    let parts = text.split(separator: "`", omittingEmptySubsequences: false)
    return parts.enumerated().map { index, part in
      index % 2 == 1 && index < parts.count - 1 ? command(part, isJSON) : String(part)
    }.joined(separator: "`")
  }

  private func command(_ text: Substring, _ isJSON: Bool) -> String {
    var words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count >= 2, words[0] == "fsr", !words.contains("--help"), !words.contains("--runtime-dir")
    else { return String(text) }
    let isOfVM = Self.ofVMs.contains(words[1])
    guard isOfVM || Self.ofFolders.contains(words[1]) else { return String(text) }
    if isOfVM, let name, words.count == 2 || words[2].hasPrefix("-") { words.insert(name[...], at: 2) }
    if let folder {
      let quoted = Self.quoted(folder)
      words += ["--runtime-dir", isJSON ? Self.escaped(quoted)[...] : quoted[...]]
    }
    return words.joined(separator: " ")
  }

  /// As a shell takes it for one word.
  package static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: Array("_./:@%+=,-".utf8).contains(byte)
        }
      }
    return isPlain
      ? word
      : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static func escaped(_ text: String) -> String {
    String(text.printable.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] })
  }
}

/// A command that looks into a runtime folder.
protocol InRuntimeFolder {
  var runtime: RuntimeOptions { get }
  /// The name of the VM that it is about, where it is about one.
  var subject: String? { get }
}
