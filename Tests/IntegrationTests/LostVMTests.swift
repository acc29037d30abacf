import FSRSystem
import FSRTestSupport
import Testing

/// VMs of which little is left, or that are not found where they were: what is said of them is true, and what it advises
/// helps.
@Suite(.serialized) struct LostVMTests {
  /// With a VM that runs, which `body` ends itself where it says so.
  private static func check(
    ends: Bool = false, _ body: @escaping @Sendable (TestVM, Int32) throws -> [String]
  ) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "5"])
      guard let pid = try vm.machines().keys.first else { return ["no VMM"] }
      return try body(vm, pid) + (ends ? vm.remains() : vm.stopped())
    }
  }

  private static func expect(
    _ result: BuiltCommand.Result, _ code: Int32, _ words: [String], _ what: String
  ) -> [String] {
    let said = result.output + result.errors
    return result.code == code && words.allSatisfy(said.contains) ? [] : ["\(what): \(result)"]
  }

  private static func kill(_ vm: TestVM, _ pid: Int32) throws {
    try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
  }

  @Test func oneThatDiesBeforeItIsAskedIsLostAndNotCalledUntouched() async {
    await Self.check { vm, pid in
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("said", .append)
      let handoff = try vm.startHandoff(["--fault", "coordinator:settle:stop"], output: output)
      let isStanding = TestVM.wait { ProcessTable.state(of: handoff.pid) == .stopped }
      try Self.kill(vm, pid)
      _ = try handoff.process.signal(SignalNumber.go)
      let status = try handoff.ended()
      let bytes = try place.directory.openFile("said", .read).readAll(limit: 1 << 16)
      let said = String(decoding: bytes, as: UTF8.self)
      let isSaid = said.contains("is lost: the process that owned it is gone") && !said.contains("untouched")
      return isStanding && status == .exited(6) && isSaid ? [] : ["\(status as Any): \(said)"]
    }
  }

  /// The folder of the blocks is there, which a boot or a stop would have taken: so it was started, and nobody has it.
  @Test func oneWhoseBlocksWereRemovedIsLostAndKeepsItsName() async {
    await Self.check { vm, pid in
      try Self.kill(vm, pid)
      guard let path = vm.blocksPath() else { return ["no blocks"] }
      let blocks = try Directory.open(path)
      for name in try vm.blockNames() { try blocks.unlink(name) }
      var findings: [String] = []
      for command in ["status", "recover", "handoff", "check", "pause"] {
        findings += Self.expect(
          try vm.fsr([command, vm.name]), 6, ["is lost", "`fsr stop \(vm.name)"], command)
      }
      findings += Self.expect(try vm.fsr(["list", "--json"]), 0, ["\"state\":\"lost\""], "list")
      findings += Self.expect(try vm.fsr(["run", vm.name, "--memory", "16M"]), 3, ["is lost"], "run")
      findings += Self.expect(
        try vm.fsr(["run", vm.name, "--memory", "16M", "--replace-lost"]), 0, [], "run --replace-lost")
      return findings + Self.expect(try vm.fsr(["status", vm.name]), 0, ["running"], "status")
    }
  }

  @Test func oneThatSomebodyIsAtWorkOnIsNotCalledNeverStarted() async {
    await Self.check { vm, pid in
      try Self.kill(vm, pid)
      guard let path = vm.blocksPath() else { return ["no blocks"] }
      var findings = Self.expect(try BuiltCommand.shell("rm -r \(path)"), 0, [], "rm")
      do {
        // As whoever starts or ends a VM.
        let starter = try BesideUs("lock", "\(vm.runtime)/\(vm.name)/lock")
        findings += Self.expect(try vm.fsr(["status", vm.name]), 3, ["starts or stops it"], "status")
        _ = starter
      }
      return findings + Self.expect(try vm.fsr(["status", vm.name]), 7, ["was never started"], "status")
    }
  }

  @Test func oneWhoseFolderWasRenamedGoesByItsNewName() async {
    await Self.check(ends: true) { vm, pid in
      let other = vm.name + "-new"
      let moved = try BuiltCommand.shell("mv \(vm.runtime)/\(vm.name) \(vm.runtime)/\(other)")
      var findings = Self.expect(moved, 0, [], "mv")
      for command in [["list", "--json"], ["status", other, "--json"]] {
        findings += Self.expect(
          try vm.fsr(command), 0, ["\"name\":\"\(other)\"", "\"pid\":\(pid)"], command[0])
      }
      findings += Self.expect(try vm.fsr(["handoff", other, "--max-downtime", "5s"]), 0, [], "handoff")
      return findings + Self.expect(try vm.fsr(["stop", other]), 0, [], "stop")
    }
  }

  @Test func aCopyOfItsFolderEndsNothing() async {
    await Self.check { vm, pid in
      let copy = "\(vm.runtime)/\(vm.name)-copy"
      var findings = Self.expect(
        try BuiltCommand.shell("cp -a \(vm.runtime)/\(vm.name) \(copy)"), 0, [], "cp")
      for command in [["stop"], ["run", "--memory", "16M"], ["run", "--memory", "16M", "--replace-lost"]] {
        let words = [command[0], vm.name + "-copy"] + command.dropFirst()
        findings += Self.expect(
          try vm.fsr(words), 3, ["is a copy", "process \(pid)", "`rm -r \(copy)`"], "\(command)")
      }
      findings += Self.expect(try BuiltCommand.shell("rm -r \(copy)"), 0, [], "rm")
      if try vm.machines().keys.sorted() != [pid] { findings.append("it is \(try vm.machines())") }
      return findings
        + Self.expect(try vm.fsr(["handoff", vm.name, "--max-downtime", "5s"]), 0, [], "handoff")
    }
  }

  @Test func oneWhoseSocketWasRemovedIsSaidToBeOutOfReach() async {
    await Self.check(ends: true) { vm, pid in
      try Directory.open("\(vm.runtime)/\(vm.name)").unlink("control.sock")
      var findings: [String] = []
      let codes: [(command: String, code: Int32)] = [
        ("status", 0), ("check", 3), ("handoff", 3), ("pause", 1), ("resume", 1),
      ]
      for (command, code) in codes {
        findings += Self.expect(
          try vm.fsr([command, vm.name]), code, ["the control socket", "`fsr stop \(vm.name)"], command)
      }
      if try vm.machines().keys.sorted() != [pid] { findings.append("it is \(try vm.machines())") }
      // As it is told.
      return findings + Self.expect(try vm.fsr(["stop", vm.name]), 0, [], "stop")
    }
  }
}
