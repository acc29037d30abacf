import FSRSystem
import FSRTestSupport
import Testing

/// The guest that the README has for typing at, built by the command that it prints.
@Suite(.serialized) struct HelloGuestTests {
  @Test(.enabled(if: CountingGuest.clang() != nil)) func itIsBuiltAndTypedAtAsTheReadmeSays() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.shell(
      """
      set -e; export PATH="$(dirname "$CLANG"):$PATH" FSR_RUNTIME_DIR=\(place.path)/vms
      command=$(sed -n '/^\\$ clang/,/-o hello/p' README.md | sed 's/^\\$ //; s|-o hello.elf|-o \(place.path)/hello.elf|')
      [ -n "$command" ]; eval "$command"
      "$FSR" run hello --memory 16M --guest \(place.path)/hello.elf > /dev/null
      printf 'good day\\n\\004' | timeout 100 "$FSR" console hello
      "$FSR" stop hello > /dev/null; rm -rf \(place.path)/vms
      """, environment: ["CLANG=\(CountingGuest.clang() ?? "")"])
    #expect(result.code == 0 && result.output.hasPrefix("Hello. "), "\(result)")
    #expect(result.output.hasSuffix("good day\n"), "\(result)")
  }
}
