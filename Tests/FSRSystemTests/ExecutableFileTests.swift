import FSRSystem
import FSRTestSupport
import Testing

@Suite struct ExecutableFileTests {
  @Test func whatRunsHereHasNoFlaw() {
    #expect(ExecutableFile.flaw(of: "/bin/sh") == nil)
    #expect(ExecutableFile.flaw(of: "/proc/self/exe") == nil)
  }

  @Test(arguments: [
    ("/", "is a directory"), ("/dev/null", "is no regular file"), ("/etc/passwd", "is not executable"),
    ("/nonexistent", "cannot be read"), ("", "cannot be read"), ("/bin/sh\0", "cannot be read"),
  ])
  func aFlawIsSaid(_ path: String, _ flaw: String) {
    #expect(ExecutableFile.flaw(of: path)?.contains(flaw) == true)
  }
}
