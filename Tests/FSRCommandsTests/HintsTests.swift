import FSRCommands
import FSRTestSupport
import Testing

/// The commands that sentences advise can be typed as they stand.
@Suite struct HintsTests {
  private static let whole = Hints(folder: "/tmp/vms", name: "web")

  @Test(arguments: [
    ("it is lost; `fsr stop web` clears up", "it is lost; `fsr stop web --runtime-dir /tmp/vms` clears up"),
    ("run `fsr recover`", "run `fsr recover web --runtime-dir /tmp/vms`"),
    (
      "`fsr abort`, or `fsr list`",
      "`fsr abort web --runtime-dir /tmp/vms`, or `fsr list --runtime-dir /tmp/vms`"
    ),
    ("`fsr ledger --rebuild` helps", "`fsr ledger --rebuild --runtime-dir /tmp/vms` helps"),
    ("see `fsr run --help`", "see `fsr run --help`"), ("`kill -CONT 7`", "`kill -CONT 7`"),
    ("`fsr demo` shows it", "`fsr demo` shows it"),
    ("a lone ` and `fsr stop web", "a lone ` and `fsr stop web"),
  ])
  func commandsAreCompleted(text: String, due: String) { #expect(Self.whole.complete(text) == due) }

  @Test func whatWasNotGivenIsNotAdded() {
    #expect(Hints().complete("`fsr stop web`, `fsr recover`") == "`fsr stop web`, `fsr recover`")
    #expect(Hints(name: "web").complete("`fsr recover`") == "`fsr recover web`")
  }

  @Test func aFolderIsOneWordOfTheShell() throws {
    let hints = Hints(folder: "/tmp/it's \"mine\"", name: "web")
    let line = hints.complete("`fsr stop`")
    #expect(line == #"`fsr stop web --runtime-dir '/tmp/it'\''s "mine"'`"#)
    // JSON stays JSON, and says the same.
    let json = hints.complete(#"{"reason":"`fsr stop`"}"#, isJSON: true)
    #expect(try JSONValue(parsing: json)["reason"]?.text == line)
  }

  @Test func whatACommandSaysHasTheFolderThatWasGiven() throws {
    let place = try TemporaryDirectory()
    let ghost = try BuiltCommand.run(["status", "ghost", "--runtime-dir", place.path])
    #expect(ghost.code == 7 && ghost.errors.contains("`fsr list --runtime-dir \(place.path)`"), "\(ghost)")
    let json = try BuiltCommand.run(["status", "ghost", "--json", "--runtime-dir", place.path])
    let reason = try JSONValue(parsing: json.output)["reason"]?.text
    #expect(reason?.contains("`fsr list --runtime-dir \(place.path)`") == true, "\(json)")
    let variable = try BuiltCommand.run(["status", "ghost"], environment: ["FSR_RUNTIME_DIR=\(place.path)"])
    #expect(variable.errors.contains("`fsr list`"), "\(variable)")
  }

  @Test(arguments: [
    ("lst", "list"), ("stauts", "status"), ("Handoff", "handoff"), ("hand-off", "handoff"),
    ("recovr", "recover"),
    ("stop1", "stop"),
  ])
  func aMisspeltCommandIsGuessed(word: String, meant: String) throws {
    let result = try BuiltCommand.run([word, "web"])
    #expect(result.code == 64 && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.contains("did you mean `fsr \(meant)`?") && result.errors.contains("`fsr --help`"))
  }

  @Test(arguments: ["migrate", "x", "floor-pear"]) func aWordThatIsNearNoneIsJustUnknown(word: String) throws
  {
    let result = try BuiltCommand.run([word])
    #expect(result.code == 64 && result.errors.contains("no command '\(word)'"), "\(result)")
    #expect(!result.errors.contains("did you mean"), "\(result)")
  }
}
