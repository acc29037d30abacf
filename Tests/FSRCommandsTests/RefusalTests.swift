import FSRTestSupport
import Testing

@Suite struct RefusalTests {
  @Test(arguments: ["status", "stop", "check", "handoff", "abort", "recover", "history", "log"])
  func aVMThatIsNotThereIs7(command: String) throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.run([command, "ghost", "--runtime-dir", place.path])
    #expect(result.code == 7 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
    let none = try BuiltCommand.run([command, "ghost", "--runtime-dir", place.path + "/none"])
    #expect(none.code == 7 && none.errorLines.count == 1, "\(none)")
  }

  @Test func aListOfNothingIsEmpty() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.run(["list", "--json", "--runtime-dir", place.path])
    #expect(result.code == 0 && result.output == "{\"vms\":[]}\n" && result.errors.isEmpty)
  }

  @Test(arguments: ["list", "ledger"]) func aFolderThatWasNamedAndIsNotThereIsSaid(command: String) throws {
    let place = try TemporaryDirectory()
    let path = place.path + "/none"
    let option = try BuiltCommand.run([command, "--json", "--runtime-dir", path])
    let variable = try BuiltCommand.run([command, "--json"], environment: ["FSR_RUNTIME_DIR=\(path)"])
    for result in [option, variable] {
      #expect(result.code == 0 && result.errorLines.count == 1, "\(result)")
      #expect(result.errors.contains("\(path) is not there") && result.output.hasPrefix("{"))
    }
    // Where nobody has named one, nobody has run anything yet.
    let other = try BuiltCommand.run([command, "--json"], environment: ["XDG_RUNTIME_DIR=\(path)"])
    #expect(other.code == 0 && other.errors.isEmpty, "\(other)")
  }

  @Test func aFolderOfOthersIsSaidToBeTheirs() throws {
    let place = try TemporaryDirectory()
    let opened = try BuiltCommand.shell("chmod 777 \(place.path)")
    let result = try BuiltCommand.run(["run", "a", "--runtime-dir", place.path])
    #expect(opened.code == 0 && result.code == 3 && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.contains("by others (mode 777)") && !result.errors.contains("root"), "\(result)")
  }

  @Test(arguments: ["/proc/none", "/dev/null", "/nonexistent/deep/folder"])
  func aRuntimeFolderThatCannotBeMadeIsRefused(path: String) throws {
    let result = try BuiltCommand.run(["run", "a", "--runtime-dir", path])
    #expect(result.code == 3 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
  }

  @Test(arguments: [0, 3, 63, 64, 100, 130, 151]) func anELFThatIsCutShortIsRefused(length: Int) throws {
    let place = try TemporaryDirectory()
    let guest = try TinyGuest(.passed).write(to: "guest", in: place, first: length)
    let result = try BuiltCommand.run([
      "run", "a", "--memory", "1M", "--guest", guest, "--json", "--runtime-dir", place.path + "/vms",
    ])
    #expect(result.code == 3 && result.errorLines.count == 1, "\(result)")
    #expect(try JSONValue(parsing: result.output).keys == AnswerKeys.status)
    let left = try BuiltCommand.run(["list", "--json", "--runtime-dir", place.path + "/vms"])
    #expect(left.output == "{\"vms\":[]}\n")
  }

  @Test(arguments: [
    ["--guest", "/nonexistent/guest.elf"], ["--guest", "/"], ["--guest", "/dev/null"],
    ["--console", "/nonexistent/console"], ["--console", "/"],
  ])
  func whatCannotBeOpenedIsRefused(options: [String]) throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.run(
      ["run", "a", "--memory", "1M", "--runtime-dir", place.path + "/vms"] + options)
    #expect(result.code == 3 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
  }
}
