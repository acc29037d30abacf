import FSRSystem
import FSRTestSupport
import Testing

/// Swap files that are not to be had: one line that says why, 3, and nothing changed or left.
@Suite(.serialized) struct SwapRefusalTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let what: String
    /// Prepares `swap` in the folder where the shell is.
    let preparation: String
    let says: String

    var testDescription: String { what }
  }

  static let cases: [Case] = [
    Case(what: "a symbolic link", preparation: "touch real; ln -s real swap", says: "symbolic link"),
    Case(what: "a directory", preparation: "mkdir swap", says: "is a directory"),
    Case(what: "a pipe", preparation: "mkfifo -m 600 swap", says: "pipe"),
    Case(
      what: "somebody's file", preparation: "umask 077; echo letters >swap", says: "that no VM has written"),
    Case(what: "one that others may read", preparation: "umask 022; touch swap", says: "has mode 0644"),
    Case(what: "a folder that is not there", preparation: "rm -rf gone", says: "No such file"),
  ]

  @Test(arguments: cases) func itIsRefusedAndLeftAsItWas(_ one: Case) async throws {
    let result = await Blocking.run { () -> (BuiltCommand.Result, String)? in
      guard let bad = try? BadInput(),
        let result = try? bad.shell(
          """
          \(one.preparation)
          look() { ls -lAR --time-style=+ . ; [ ! -f swap ] || cat swap; }
          before=$(look)
          path=swap; [ "\(one.what)" = "a folder that is not there" ] && path=gone/swap
          "$FSR" run "$NAME" --runtime-dir "$VMS" --memory 32M --resident 8M --swap $path; code=$?
          rm -rf "$VMS"
          [ "$before" = "$(look)" ] || echo changed
          exit $code
          """)
      else { return nil }
      return (result, bad.name)
    }
    let (answer, _) = try #require(result)
    #expect(answer.code == 3 && answer.output.isEmpty && answer.errorLines.count == 1, "\(answer)")
    #expect(answer.errors.contains(one.says), "\(answer)")
  }

  @Test func aFileIsOneVMsAlsoUnderAnotherName() async throws {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run()
      var findings: [String] = []
      let linked = try BuiltCommand.shell("ln \(paged.swap) \(paged.place.path)/other")
      if linked.code != 0 { findings.append("\(linked)") }
      let second = try TestVM()
      for path in [paged.swap, paged.place.path + "/other"] {
        let result = try second.fsr(
          ["run", second.name, "--memory", "32M", "--resident", "8M", "--swap", path])
        if result.code != 3 || !result.errors.contains(paged.vm.name) { findings.append("\(result)") }
      }
      try paged.place.directory.unlink("other")
      try paged.waitForEvictions(1000)
      findings += try paged.guestFindings()
      findings += try second.remains()
      return findings + (try paged.stopped())
    }
  }

  @Test(arguments: [
    ["--resident", "8M"], ["--swap", "s"], ["--compression", "1M"], ["--resident", "64M", "--swap", "s"],
    ["--resident", "512K", "--swap", "s"], ["--resident", "8000001", "--swap", "s"],
    ["--resident", "8M", "--swap", ""], ["--resident", "8M", "--swap", "s", "--compression", "1K"],
    ["--resident", "8M", "--swap", "s", "--compression", "much"],
    ["--resident", "8M", "--swap", "s", "--compression", "64M"],
    ["--resident", "8M", "--swap", "s", "--page-size", "2m"],
    ["--resident", "8M", "--swap", "s", "--reserve", "8M"],
    ["--resident", "8M", "--swap", "s", "--swap-fault", "write:0:EIO"],
  ])
  func wrongUsageIsOneLineAnd64(options: [String]) throws {
    let result = try BuiltCommand.run(["run", "a", "--memory", "32M"] + options)
    #expect(result.code == 64 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
  }
}
