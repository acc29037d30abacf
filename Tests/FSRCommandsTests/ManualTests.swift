import FSRSystem
import FSRTestSupport
import Testing

/// The pages of the manual, as an installation makes them.
@Suite struct ManualTests {
  private static let parts = ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS"]

  @Test func everyCommandHasAPageAndNoPageNamesOneThatIsNotThere() throws {
    let place = try TemporaryDirectory()
    let made = try BuiltCommand.run(["manual", place.path])
    #expect(made.code == 0 && made.output.isEmpty && made.errors.isEmpty, "\(made)")
    let names = try place.directory.names(limit: 100).sorted()
    let root = try #require(
      try JSONValue(parsing: BuiltCommand.run(["--experimental-dump-help"]).output)["command"])
    var due = ["fsr.1"]
    func look(at command: JSONValue, behind words: String) {
      for one in command["subcommands"]?.elements ?? [] {
        let name = one["commandName"]?.text ?? ""
        guard one["shouldDisplay"] != .bool(false), name != "help" else { continue }
        due.append("\(words)-\(name).1")
        look(at: one, behind: "\(words)-\(name)")
      }
    }
    look(at: root, behind: "fsr")
    #expect(names == due.sorted() && names.count > 15)
    for name in names {
      let text = String(
        decoding: try place.directory.openFile(name, .read).readAll(limit: 1 << 20), as: UTF8.self)
      for part in Self.parts { #expect(text.contains(".SH \(part)\n"), "\(name) has no \(part)") }
      #expect(text.contains("\n.B 64\n") && text.contains("\n.B 7\n"), "\(name) has no exit codes")
      for line in text.split(separator: "\n") where line.hasPrefix(".BR ") {
        let page = line.split(separator: " ")[1].filter { $0 != "\\" }
        #expect(names.contains("\(page).1"), "\(name) leads to \(page)")
      }
    }
    let whole = String(
      decoding: try place.directory.openFile("fsr.1", .read).readAll(limit: 1 << 20), as: UTF8.self)
    #expect(
      whole.contains(".SH SUBCOMMANDS\n") && whole.contains("\n.B handoff\n") && !whole.contains("floor"))
  }

  @Test func aFolderThatIsNotThereIsSaid() throws {
    let result = try BuiltCommand.run(["manual", "/nonexistent"])
    #expect(result.code == 1 && result.errorLines.count == 1, "\(result)")
  }
}
