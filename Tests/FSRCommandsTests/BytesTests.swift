import FSRSystem
import FSRTestSupport
import Testing

/// What is no text: arguments, folders and variables whose bytes are not UTF-8.
@Suite(.serialized) struct BytesTests {
  @Test(arguments: [
    #"status $'a\xe9'"#, #"run a --console $'con\xe9.log'"#, #"run a --guest $'\xff'"#,
    #"list --runtime-dir $'\xe9'"#,
    #"handoff a --to $'/opt/\xc3'"#, #"$'\xe9'"#,
  ])
  func anArgumentThatIsNotUTF8IsWrongUsage(words: String) throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.shell("cd \(place.path); \"$FSR\" \(words)")
    let left = try place.directory.names(limit: 10)
    #expect(result.code == 64 && result.errorLines.count == 1 && left.isEmpty, "\(result) \(left)")
    #expect(result.errors.contains("is not UTF-8") && result.errors.contains("\\x"), "\(result)")
  }

  @Test func theAnswerHasAllItsKeysThen() throws {
    let result = try BuiltCommand.shell(#""$FSR" run a --console $'con\xe9.log' --json"#)
    let keys = try JSONValue(parsing: result.output).keys
    #expect(result.code == 64 && keys == AnswerKeys.status, "\(result)")
  }

  @Test(arguments: ["FSR_RUNTIME_DIR", "XDG_RUNTIME_DIR"])
  func aVariableThatIsNotUTF8IsNoFolder(name: String) throws {
    let result = try BuiltCommand.shell("env -u FSR_RUNTIME_DIR \(name)=$'/tmp/\\xe9' \"$FSR\" status a")
    // Root's folder does not depend on the session's.
    let isUnused = name == "XDG_RUNTIME_DIR" && result.errors.contains("/run/fsr")
    #expect(isUnused || (result.code == 64 && result.errors.contains("$\(name)")), "\(result)")
  }

  @Test func aFolderThatIsNotUTF8NeedsNoNameOfItsOwn() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.shell(
      """
      cd \(place.path); mkdir $'d\\xe9'; cd $'d\\xe9'
      "$FSR" run a --memory 1M --runtime-dir vms; echo $?
      "$FSR" run a --memory 1M --runtime-dir .; echo $?
      "$FSR" run a --memory 1M --console log --runtime-dir \(place.path)/vms; echo $?
      ls -A; cd ..; rmdir $'d\\xe9'
      ln -s $'x\\xe9' link; mkdir $'x\\xe9'
      "$FSR" run a --memory 1M --runtime-dir link; echo $?
      ls -A $'x\\xe9'; rmdir $'x\\xe9'; rm link
      """)
    #expect(result.output == "64\n64\n64\n3\n" && result.errorLines.count == 4, "\(result)")
  }

  @Test func theEnvironmentGoesOnAsItIs() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.shell(
      """
      export FSR_RUNTIME_DIR=\(place.path)/vms ODD=$'a\\xe9b'
      pid() { "$FSR" status a --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2; }
      "$FSR" run a --memory 16M --duty 1 >/dev/null || exit 90
      LC_ALL=C grep -acz $'^ODD=a\\xe9b$' /proc/$(pid)/environ
      "$FSR" handoff a --max-downtime 5s >/dev/null || exit 91
      LC_ALL=C grep -acz $'^ODD=a\\xe9b$' /proc/$(pid)/environ
      "$FSR" stop a >/dev/null; rmdir vms 2>/dev/null; rm -rf \(place.path)/vms
      """)
    #expect(result.code == 0 && result.output == "1\n1\n", "\(result)")
  }
}
