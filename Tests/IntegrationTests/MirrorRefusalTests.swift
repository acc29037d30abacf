import FSRSystem
import FSRTestSupport
import Testing

/// Files that a swap file cannot be copied to: one line that says why, and a VM that goes on with its own.
@Suite(.serialized) struct MirrorRefusalTests {
  /// Prepares `target` in a folder of its own, from where the VM's swap file is `../swap`.
  private static let cases: [(what: String, preparation: String, says: String)] = [
    ("a symbolic link", "touch real; chmod 600 real; ln -s real target", "symbolic link"),
    ("a link to nothing", "ln -s gone target", "symbolic link"),
    ("a directory", "mkdir target", "is a directory"),
    ("a pipe", "mkfifo -m 600 target", "pipe"),
    ("somebody's file", "umask 077; echo letters >target", "that no VM has written"),
    ("one that others may read", "umask 022; touch target", "has mode 0644"),
    ("the VM's own", "ln -s .. up", "swap file already"),
    ("the VM's own by another name", "ln ../swap target", "swap file already"),
    ("a folder that is not there", ":", "No such file"),
  ]

  private static func target(_ what: String) -> String {
    switch what {
    case "the VM's own": "up/swap"
    case "a folder that is not there": "gone/target"
    default: "target"
    }
  }

  /// Whether `fsr check` and `fsr handoff` refuse it with one line, and change nothing where the target lies.
  private static func refusals(_ paged: borrowing PagedVM, to target: String, says: String) throws -> [String]
  {
    var findings: [String] = []
    func look() throws -> String {
      try BuiltCommand.shell(
        "cd \(paged.place.path); ls -lAR --time-style=+ . | grep -v -e ' swap$' -e '^total'"
      ).output
    }
    let before = (try look(), try paged.status())
    for (command, codes) in [("check", [3]), ("handoff", [3])] as [(String, [Int32])] {
      let result = try paged.vm.fsr([command, paged.vm.name] + paged.mirroring(to: target))
      if !codes.contains(result.code ?? -1) || !result.output.isEmpty || !result.complainsOnce
        || !result.errors.contains(says)
      {
        findings.append("\(command): \(result)")
      }
      let (files, status) = (try look(), try paged.status())
      if files != before.0 { findings.append("\(command): \(before.0) became \(files)") }
      for key in ["pid", "generation"] where status[key] != before.1[key] {
        findings.append("\(command): \(key) changed: \(status)")
      }
      if status["swap"]?["path"] != before.1["swap"]?["path"] { findings.append("\(command): \(status)") }
    }
    return findings
  }

  @Test func whatIsNoPlaceForPagesIsLeftAsItWas() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "32M", resident: "8M", ["--compression", "off"])
      try paged.waitForSlots(100)
      var cases = Self.cases
      if Host.effectiveUserID == 0 {
        cases.append(
          ("another user's", "umask 077; touch target; chown 65534 target", "belongs to user 65534"))
      }
      var findings: [String] = []
      for one in cases {
        let prepared = try BuiltCommand.shell(
          "cd \(paged.place.path) && mkdir case && cd case && { \(one.preparation); }")
        if prepared.code != 0 { findings.append("\(one.what): \(prepared)") }
        let target = paged.path("case/" + Self.target(one.what))
        findings += try Self.refusals(paged, to: target, says: one.says).map { "\(one.what): \($0)" }
        _ = try BuiltCommand.shell("rm -rf \(paged.path("case"))")
      }
      try paged.waitForEvictions(1000)
      let (code, answer) = try paged.handOver(paged.mirroring(to: "next"))
      if code != 0 { findings.append("\(answer)") }
      findings += try paged.fileFindings(using: "next")
      try paged.waitForEvictions(1000)
      findings += try paged.findingsAtRest(pages: 8192, limit: 2048)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func anotherVMsFileStaysItsOwn() async {
    await Blocking.check {
      let paged = try PagedVM()
      let other = try PagedVM()
      try paged.run(memory: "32M", resident: "8M")
      try other.run(memory: "32M", resident: "8M")
      try other.waitForEvictions(1000)
      var findings = try Self.refusals(paged, to: other.swap, says: "in use by the VM \(other.vm.name)")
      try other.waitForEvictions(1000)
      findings += try other.guestFindings() + other.stopped()
      let (code, answer) = try paged.handOver([])
      if code != 0 { findings.append("\(answer)") }
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func aVMWithoutASwapFileHasNothingToCopy() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let place = try TemporaryDirectory(under: "/tmp")
      var findings: [String] = []
      for (command, codes) in [("check", [3]), ("handoff", [3])] as [(String, [Int32])] {
        let result = try vm.fsr([
          command, vm.name, "--swap", "mirrored", "--swap-file", place.path + "/swap",
        ])
        if !codes.contains(result.code ?? -1) || !result.complainsOnce
          || !result.errors.contains("the VM has no swap file")
        {
          findings.append("\(result)")
        }
      }
      findings += try place.directory.names(limit: 10).map { "\($0) is left" }
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      if handoff.code != 0 { findings.append("\(handoff)") }
      if try !vm.advances() { findings.append("the guest stands still") }
      return findings + (try vm.stopped())
    }
  }

  @Test func aFileThatSomebodyHasCutShortIsNotCopied() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "32M", resident: "8M", ["--compression", "off"])
      try paged.waitForSlots(1000)
      var findings: [String] = []
      // Nobody reads or writes the end meanwhile; it is put back before the guest may miss it.
      _ = try paged.vm.pause()
      let isAtRest = try TestVM.wait {
        let status = try paged.status()
        return status["memory"]?["swapped_pages"] == status["swap"]?["used"]
      }
      if !isAtRest { findings.append("it does not come to rest") }
      let cut = try BuiltCommand.shell(
        "cd \(paged.place.path) && tail -c 4096 swap >/dev/shm/fsr-test-\(paged.vm.name) && truncate -s -4096 swap"
      )
      if cut.code != 0 { findings.append("\(cut)") }
      findings += try Self.refusals(paged, to: paged.path("next"), says: "cut it short")
      let put = try BuiltCommand.shell(
        "cd \(paged.place.path) && cat /dev/shm/fsr-test-\(paged.vm.name) >>swap; rm /dev/shm/fsr-test-\(paged.vm.name)"
      )
      if put.code != 0 { findings.append("\(put)") }
      _ = try paged.vm.answer("resume")
      let (code, answer) = try paged.handOver(paged.mirroring(to: "next"))
      if code != 0 { findings.append("\(answer)") }
      try paged.waitForEvictions(1000)
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }

  @Test func aFullOrReadOnlyPlaceIsLeftAsItWas() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    let result = try bad.privateShell(
      """
      fsr() { "$FSR" "$@" --runtime-dir vms; }
      status() { fsr status $NAME --json; }
      count() { status | grep -o "\\"$1\\":[0-9]*" | cut -d: -f2; }
      known() { value=$(count $1); [ -n "$value" ]; }
      reach() { until known evictions && [ $value -gt $1 ]; do sleep 0.02; done; }
      more() { reach 0; reach $((value + 1000)); }
      mkdir -p vms full fixed; chmod 700 vms
      mount -t tmpfs -o size=1m tmpfs full && mount -t tmpfs -o ro tmpfs fixed || exit 99
      fsr run $NAME --memory 32M --resident 8M --swap swap --compression off --duty 30 >/dev/null || exit 90
      more
      for place in full fixed; do for command in check handoff; do
        fsr $command $NAME --swap mirrored --swap-file $place/swap 2>said; echo "$place $? $(wc -l <said) $(cat said)"
        ls -A $place
      done; done
      more
      fsr handoff $NAME --max-downtime 5s --swap mirrored --swap-file next >/dev/null || exit 91
      [ -e swap ] && exit 92
      more
      until known errors; do sleep 0.02; done; [ $value = 0 ] || exit 93
      fsr stop $NAME >/dev/null || exit 94
      [ -e next ] && exit 95
      rm -f said; umount full fixed; rmdir full fixed; exit 0
      """)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 4, "\(result)")
    for (line, due) in zip(
      lines, [["full 3 1"], ["full 3 1", "full 4 1"], ["fixed 3 1"], ["fixed 3 1", "fixed 4 1"]])
    {
      #expect(due.contains { line.hasPrefix($0) }, "\(line)")
      #expect(line.contains(line.hasPrefix("full") ? "No space left" : "Read-only file system"), "\(line)")
    }
  }

  @Test(arguments: [
    ["--swap-file", "s"], ["--swap", "mirrored"], ["--swap", "mirrored", "--swap-file", ""],
    ["--swap", "mirrored", "--swap-file", "s", "--copy-rate", "0"],
    ["--swap", "mirrored", "--swap-file", "s", "--copy-rate", "1"],
    ["--swap", "mirrored", "--swap-file", "s", "--copy-rate", "65535"],
    ["--swap", "mirrored", "--swap-file", "s", "--copy-rate", "much"],
    ["--swap", "mirrored", "--swap-file", "s", "--copy-rate", "16777216T"],
    ["--copy-rate", "1M"], ["--swap", "copied", "--swap-file", "s"],
  ])
  func wrongUsageIsOneLineAnd64(options: [String]) throws { try Self.isWrongUsage(options) }

  @Test func aNameTooLongForAnyFileIsWrongUsage() throws {
    try Self.isWrongUsage(["--swap", "mirrored", "--swap-file", String(repeating: "s", count: 5000)])
  }

  private static func isWrongUsage(_ options: [String]) throws {
    for command in ["check", "handoff"] {
      let result = try BuiltCommand.run([command, "a"] + options)
      #expect(result.code == 64 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
    }
  }

  @Test func aPathOfAnyLengthIsAnsweredInOneLine() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "32M", resident: "8M")
      try paged.waitForEvictions(1000)
      var findings: [String] = []
      let long = paged.place.path + "/" + String(repeating: "d/", count: 1980) + "swap"
      findings += try Self.refusals(paged, to: long, says: "cannot be used: openat \(paged.place.path)")
      let name = paged.place.path + "/" + String(repeating: "n", count: 256)
      findings += try Self.refusals(paged, to: name, says: "File name too long")
      let hostile = paged.place.path + "/gone\u{1b}[2J\u{9b}1m\n/swap"
      findings += try Self.refusals(paged, to: hostile, says: "No such file")
      let (code, answer) = try paged.handOver(paged.mirroring(to: String(repeating: "n", count: 255)))
      if code != 0 { findings.append("\(answer)") }
      return findings + (try paged.guestFindings()) + (try paged.stopped())
    }
  }
}
