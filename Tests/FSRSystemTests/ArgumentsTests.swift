import FSRSystem
import Testing

/// Words that people type need not be text.
@Suite struct ArgumentsTests {
  @Test func whatIsNoTextIsFoundAndShown() {
    let words: [[UInt8]] = [Array("run".utf8), [0x63, 0xe9, 0x0a, 0x5c], [0xff]]
    #expect(Arguments.flaw(in: words) == #"c\xe9\x0a\"#)
    #expect(Arguments.flaw(in: [Array("schön".utf8), []]) == nil)
  }

  @Test func thisProcessHasItsOwn() {
    #expect(!Arguments.bytes.isEmpty && Arguments.all.count == Arguments.bytes.count)
    #expect(Arguments.flaw(in: Arguments.bytes) == nil)
  }

  @Test func aChildGetsItsEnvironmentAsItIs() throws {
    let child = try ChildProcess.spawn(
      executable: "/bin/sh", arguments: ["sh", "-c", #"[ "$ODD" = "$(printf 'a\351b')" ]"#],
      environmentBytes: [Array("PATH=/usr/bin:/bin".utf8), Array("ODD=a".utf8) + [0xe9, 0x62]])
    _ = try child.process.waitForExit(timeout: nil)
    let status = try child.process.reap()
    #expect(status == .exited(0))
  }
}
