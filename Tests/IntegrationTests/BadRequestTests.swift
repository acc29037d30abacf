import FSRSystem
import FSRTestSupport
import Testing

/// Requests that cannot be meant, or come at a bad moment.
@Suite struct BadRequestTests {
  private static let names = [
    "", ".", "..", "a/b", "../../etc/a", "/", "-a", ".a", "a b", "a\nb", "a\rb", "a\u{1b}[2Jb", "a\u{7f}",
    "a\u{9b}2J",
    "a\u{202e}b", "\u{e9}", String(repeating: "n", count: 65), String(repeating: "n", count: 300),
    String(repeating: "n", count: 100_000),
  ]

  @Test(arguments: ["run", "status", "stop", "handoff", "recover", "pause", "resume"])
  func aBadNameIs64WhateverItHolds(command: String) throws {
    let bad = try BadInput()
    for name in Self.names {
      let result = try bad.fsr([command, "--json", name])
      #expect(
        result.code == 64 && result.complainsOnce && result.answersOnce, "\(name.prefix(80)): \(result)")
      #expect(result.errors.utf8.count < 2000)
    }
    let left = (try? Directory.open(bad.runtime)) != nil
    #expect(!left, "the runtime folder was made")
  }

  @Test(arguments: [
    "0", "-1", "-5M", "1.5G", "1e9", "0x1000", "9223372036854775808", "18446744073709551616", "8388608T",
    "65T", "1023K",
    "1M1", "4097", "", " ", "M", "\u{1b}[2J", "\u{661}M",
  ])
  func aBadSizeIs64(size: String) throws {
    let bad = try BadInput()
    let result = try bad.fsr(["run", "a", "--memory=\(size)", "--json"])
    #expect(result.code == 64 && result.complainsOnce && result.answersOnce, "\(result)")
  }

  @Test func theLargestSizeRunsOrIsRefused() throws {
    let bad = try BadInput()
    let result = try bad.fsr(["run", bad.name, "--memory", "64T", "--duty", "1", "--json"])
    #expect(result.code == 0 || result.code == 3 && result.complainsOnce, "\(result)")
    #expect(result.answersOnce)
    if result.code == 0 { #expect(try bad.fsr(["stop", bad.name]).code == 0) }
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  @Test func aNameInUseIsRefusedAndItsVMGoesOn() throws {
    let vm = try TestVM()
    try vm.run(["--memory", "1M"])
    let again = try vm.fsr(["run", vm.name, "--memory", "1M", "--json"])
    #expect(again.code == 3 && again.complainsOnce && again.answersOnce, "\(again)")
    #expect(again.errors.contains("fsr stop \(vm.name)"))
    #expect(try vm.advances())
    #expect(try vm.machines().count == 1)
    #expect(try vm.stopped() == [])
  }

  @Test func ofTwoHandoffsAtOnceOneIsRefused() throws {
    let vm = try TestVM()
    try vm.run(["--memory", "1M"])
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    // The first holds the VM's lock from before it stops until it is let go.
    let first = try vm.startHandoff(["--fault", "coordinator:watch:stop"], output: output)
    #expect(TestVM.wait { ProcessTable.state(of: first.pid) == .stopped })
    let second = try vm.fsr(["handoff", vm.name, "--json"])
    #expect(second.code == 3 && second.complainsOnce && second.answersOnce, "\(second)")
    _ = try first.process.signal(SignalNumber.go)
    #expect(try first.ended() != nil)
    #expect(try vm.advances())
    #expect(try vm.stopped() == [])
  }

  @Test func anAnswerThatCannotBeWrittenIsSaid() throws {
    let bad = try BadInput()
    for options in ["", "--json"] {
      let result = try bad.shell(
        "mkdir -p -m 700 \"$VMS\" && \"$FSR\" list \(options) --runtime-dir \"$VMS\" > /dev/full")
      #expect(
        result.code == 1 && result.complainsOnce && result.errors.contains("standard output"), "\(result)")
    }
  }

  @Test func closedStreamsTakeNoFilesPlace() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      "\"$FSR\" run $NAME --memory 1M --json --runtime-dir \"$VMS\" <&- >&- 2>&-; echo $?; grep -s -d skip -c generation vms/$NAME/* | grep -v :0"
    )
    // The VM runs; that nobody could be told so is what the code says.
    #expect(result.output == "1\n", "\(result)")
    #expect(try bad.fsr(["stop", bad.name]).code == 0)
  }

  @Test func aFullConsoleFileIsCountedAndTheGuestGoesOn() throws {
    let vm = try TestVM()
    try vm.run(["--memory", "1M", "--console", "/dev/full"])
    let isCounted = try TestVM.wait {
      (try vm.answer("status").value["console"]?["dropped_bytes"]?.number ?? 0) > 0
    }
    #expect(isCounted)
    #expect(try vm.advances())
    #expect(try vm.stopped() == [])
  }

  @Test func aPathIsShownWithoutWhatATerminalObeys() throws {
    let bad = try BadInput()
    let console = "\(bad.place.path)/c\u{1b}[2J\u{9b}1m\n"
    let started = try bad.fsr(["run", bad.name, "--memory", "1M", "--console", console])
    #expect(started.code == 0, "\(started)")
    let status = try bad.fsr(["status", bad.name])
    #expect(status.output.contains("c\\u{1b}[2J\\u{9b}1m , "), "\(status)")
    #expect(try bad.fsr(["stop", bad.name]).code == 0)
  }
}
