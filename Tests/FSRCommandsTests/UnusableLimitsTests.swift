import FSRSystem
import FSRTestSupport
import Testing

/// Limits of handoffs that cannot be: wrong usage to every command that would go by them, before it does anything.
@Suite struct UnusableLimitsTests {
  private static let nonsense = [BuiltCommand.limits("patience=3s")]

  @Test(arguments: ["stop", "check", "handoff", "abort", "recover", "run"])
  func theyAreWrongUsage(command: String) throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.run(
      [command, "ghost", "--json", "--runtime-dir", place.path + "/vms"], environment: Self.nonsense)
    #expect(result.code == 64 && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.hasPrefix("fsr: $FSR_LIMITS: there is no limit 'patience'"), "\(result)")
    let reason = try JSONValue(parsing: result.output)["reason"]?.text
    #expect(reason?.hasPrefix("$FSR_LIMITS: ") == true, "\(result)")
    let made = try place.directory.names(limit: 10)
    #expect(made.isEmpty)
  }

  @Test(arguments: [["demo"], ["bench", "--handoffs", "1", "--vcpus", "1", "--memory", "64M"]])
  func soTheyAreToWhatStartsAVMOfItsOwn(words: [String]) throws {
    let result = try BuiltCommand.run(words + ["--json"], environment: Self.nonsense)
    #expect(result.code == 64 && result.errors.contains("$FSR_LIMITS: there is no limit"), "\(result)")
  }

  @Test func whatIsNoTextIsWrongUsage() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.shell(
      "FSR_LIMITS=$'scale=\\xe9' \"$FSR\" recover ghost --runtime-dir \(place.path)")
    #expect(
      result.code == 64 && result.errorLines.count == 1 && result.errors.contains("not UTF-8"), "\(result)")
  }

  /// Whoever only looks goes by none.
  @Test func theyAreNothingToWhoOnlyLooks() throws {
    let place = try TemporaryDirectory()
    let list = try BuiltCommand.run(["list", "--runtime-dir", place.path], environment: Self.nonsense)
    #expect(list.code == 0, "\(list)")
    let status = try BuiltCommand.run(
      ["status", "ghost", "--runtime-dir", place.path], environment: Self.nonsense)
    #expect(status.code == 7, "\(status)")
  }

  @Test func anEmptyOneIsNone() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.run(
      ["stop", "ghost", "--runtime-dir", place.path], environment: [BuiltCommand.limits("")])
    #expect(result.code == 7, "\(result)")
  }
}
