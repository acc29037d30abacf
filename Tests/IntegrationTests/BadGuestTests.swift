import FSRSystem
import FSRTestSupport
import Testing

/// Guests that are none: refused with one line and 3, and nothing is left.
@Suite struct BadGuestTests {
  private static func check(_ guest: String, in bad: borrowing BadInput, _ what: String) throws {
    let result = try bad.fsr(["run", bad.name, "--memory", "1M", "--guest", guest, "--json"])
    #expect(result.code == 3 && result.complainsOnce && result.answersOnce, "\(what): \(result)")
    let left = try bad.remains()
    #expect(left.isEmpty, "\(what): \(left)")
  }

  @Test func whatIsNoGuestIsRefused() throws {
    let bad = try BadInput()
    for (what, bytes) in CraftedELF.broken { try Self.check(bad.file("guest", bytes), in: bad, what) }
  }

  @Test func aGuestThatIsCutShortIsRefusedAtEveryLength() throws {
    let bad = try BadInput()
    let whole = CraftedELF().bytes
    for length in Array(stride(from: 0, to: whole.count, by: 7)) + [63, 64, 119, 120, whole.count - 1] {
      try Self.check(bad.file("guest", Array(whole.prefix(length))), in: bad, "\(length) bytes")
    }
  }

  @Test func theCraftedGuestIsGoodWhereNothingIsWrong() throws {
    let bad = try BadInput()
    for count in [1, 2, 64] {
      let guest = try bad.file("guest", CraftedELF(segments: count).bytes)
      let result = try bad.fsr(["run", bad.name, "--memory", "1M", "--guest", guest, "--foreground"])
      #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    }
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  @Test func whatIsOddRunsAsItDoesInQEMU() throws {
    let bad = try BadInput()
    for (what, bytes) in CraftedELF.odd {
      let guest = try bad.file("guest", bytes)
      let result = try bad.fsr(["run", bad.name, "--memory", "1M", "--guest", guest, "--foreground"])
      #expect(result.code == 0 && result.errors.isEmpty, "\(what): \(result)")
    }
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  @Test(arguments: [
    "missing", ".", "/dev/null", "/dev/zero", "/proc/self/mem", "", "e\u{1b}[2Jvil\u{7}\u{202e}",
  ])
  func whatIsNoFileIsRefused(guest: String) throws {
    let bad = try BadInput()
    try Self.check(
      guest.isEmpty ? "" : guest.hasPrefix("/") ? guest : "\(bad.place.path)/\(guest)", in: bad, guest)
  }

  @Test func aPipeThatNobodyWritesIsNotWaitedFor() throws {
    let bad = try BadInput()
    for option in ["--guest pipe", "--console pipe"] {
      let result = try bad.shell(
        "rm -f pipe; mkfifo pipe; \"$FSR\" run $NAME --memory 1M --runtime-dir \"$VMS\" \(option)")
      #expect(result.code == 3 && result.complainsOnce && result.output.isEmpty, "\(result)")
      let left = try bad.remains()
      #expect(left.isEmpty)
    }
    let other = try bad.shell(
      "\"$FSR\" run $NAME --memory 1M --runtime-dir \"$VMS\" > /dev/null && \"$FSR\" handoff $NAME --to pipe --runtime-dir \"$VMS\""
    )
    #expect(other.code == 3 && other.complainsOnce, "\(other)")
    let end = try bad.fsr(["stop", bad.name])
    #expect(end.code == 0)
    try? bad.place.directory.unlink("pipe")
  }

  @Test func aRefusedGuestLeavesNoConsoleFileThatWasNotThere() throws {
    let bad = try BadInput()
    let guest = try bad.file("guest", [])
    _ = try bad.file("kept", [])
    for (console, remains) in [("made", false), ("kept", true)] {
      let result = try bad.fsr([
        "run", bad.name, "--memory", "1M", "--guest", guest, "--console", "\(bad.place.path)/\(console)",
      ])
      #expect(result.code == 3 && result.complainsOnce, "\(result)")
      let isThere = try bad.place.directory.exists(console)
      #expect(isThere == remains, "\(console)")
    }
  }

  @Test func aRefusedGuestLeavesNoBlocks() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    _ = try bad.file("guest", CraftedELF.broken[4].bytes)
    let result = try bad.privateShell("\"$FSR\" run $NAME --memory 1M --guest guest --runtime-dir \"$VMS\"")
    #expect(result.code == 3 && result.complainsOnce && result.output.isEmpty, "\(result)")
    let left = try bad.remains()
    #expect(left.isEmpty)
  }
}
