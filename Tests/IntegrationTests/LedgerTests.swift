import FSRMemory
import FSRSystem
import FSRTestSupport
import Testing

/// Reservations with real processes: admission, handoffs with all of the capacity reserved, deaths, damage.
@Suite(.serialized) struct LedgerTests {
  private static let size: Double = 64 * 1024 * 1024

  private struct Findings {
    var all: [String] = []
    mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
      if !holds { all.append(what()) }
    }
  }

  private static func check(_ body: @escaping @Sendable (inout Findings) throws -> Void) async {
    let findings = await Blocking.run { () -> [String] in
      var findings = Findings()
      do { try body(&findings) } catch { findings.all.append("\(error)") }
      return findings.all
    }
    for finding in findings { Issue.record("\(finding)") }
  }

  /// A VM of which every byte is reserved, in a ledger that is full with it.
  private static func fullVM() throws -> TestVM {
    let vm = try TestVM()
    let result = try vm.fsr(["ledger", "--capacity", "64M"])
    guard result.code == 0 else { throw Unexpected("ledger: \(result)") }
    try vm.run(["--memory", "64M", "--reserve", "64M", "--duty", "10"])
    return vm
  }

  private static func ledger(_ vm: TestVM, _ options: [String] = []) throws -> (
    code: Int32?, value: JSONValue
  ) {
    let result = try vm.fsr(["ledger", "--json"] + options)
    return (result.code, try JSONValue(parsing: result.output))
  }

  private static func lockedKilobytes(of pid: Int32) throws -> Int? {
    let file = try OwnedDescriptor.open("/proc/\(pid)/status", .read)
    let line = String(decoding: try file.readAll(limit: 1 << 16), as: UTF8.self).split(separator: "\n").first
    {
      $0.hasPrefix("VmLck:")
    }
    return line.flatMap { Int($0.filter(\.isNumber)) }
  }

  @Test(.enabled(if: LockedMemory.isThere, "see what is SKIPPED above"))
  func aRunBeyondTheCapacityIsRefusedAndLeavesNothing() async {
    await Self.check { findings in
      let vm = try Self.fullVM()
      let more = try vm.fsr(["run", "more", "--memory", "64M", "--reserve", "4K"])
      findings.expect(more.code == 3 && more.errorLines.count == 1, "\(more)")
      for word in ["64M of 64M", "4K", "fsr ledger --capacity"] {
        findings.expect(more.errors.contains(word), "no '\(word)' in \(more.errors)")
      }
      let list = try vm.fsr(["list", "--json"])
      findings.expect(!list.output.contains("more"), "left behind: \(list.output)")
      let less = try vm.fsr(["ledger", "--capacity", "63M"])
      findings.expect(less.code == 3 && less.errorLines.count == 1, "\(less)")
      // One without a reservation asks nobody.
      let free = try vm.fsr(["run", "free", "--memory", "64M", "--duty", "1"])
      findings.expect(free.code == 0, "\(free)")
      let status = try vm.status()
      findings.expect(status["reservation"]?["bytes"]?.number == Self.size, "\(status)")
      findings.expect(status["reservation"]?["owner_pid"]?.number == status["pid"]?.number, "\(status)")
      findings.all += try vm.stopped().filter { !$0.contains("entry free") }
      // With the first gone there is room for it.
      let next = try vm.fsr(["run", "more", "--memory", "64M", "--reserve", "64M", "--duty", "1"])
      findings.expect(next.code == 0, "\(next)")
      for name in ["more", "free"] {
        let stop = try vm.fsr(["stop", name])
        findings.expect(stop.code == 0, "\(stop)")
      }
      let left = try Self.ledger(vm).value
      findings.expect(left["reserved"]?.number == 0 && left["capacity"]?.number == Self.size, "\(left)")
    }
  }

  @Test(.enabled(if: LockedMemory.isThere, "see what is SKIPPED above"))
  func onlyWhatIsReservedIsLocked() async {
    await Self.check { findings in
      let vm = try TestVM()
      try vm.run(["--memory", "64M", "--duty", "10"])
      let plain = try vm.status()
      let none = try Self.lockedKilobytes(of: Int32(plain["pid"]?.number ?? 0)) ?? -1
      findings.all += try vm.stopped()
      try vm.run(["--memory", "64M", "--reserve", "16M", "--duty", "10"])
      for _ in 0..<2 {
        let status = try vm.status()
        let locked = try Self.lockedKilobytes(of: Int32(status["pid"]?.number ?? 0)) ?? -1
        // Beside it lie the control blocks, a page or two each.
        findings.expect(
          locked >= 16384 + none && locked < 16384 + none + 256, "\(locked) KiB locked, \(none) without")
        findings.expect((status["memory"]?["resident_pages"]?.number ?? 0) >= 4096, "\(status)")
        let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
        findings.expect(handoff.value["reservation"]?["bytes"]?.number == Self.size / 4, "\(handoff)")
      }
      findings.all += try vm.stopped()
    }
  }

  @Test func whatCannotBeLockedIsRefusedWithARemedy() async {
    await Self.check { findings in
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try ChildProcess.spawn(
        executable: "/usr/bin/setpriv",
        arguments: [
          "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "prlimit", "--memlock=1048576",
          BuiltCommand.path(), "run", vm.name, "--memory", "64M", "--reserve", "64M", "--runtime-dir",
          vm.runtime,
        ], environment: BuiltCommand.environment(),
        inheriting: [.init(output.number, as: 1), .init(output.number, as: 2)])
      let status = try child.ended()
      let text = String(
        decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 16), as: UTF8.self)
      findings.expect(status == .exited(3), "\(String(describing: status)): \(text)")
      for word in ["RLIMIT_MEMLOCK", "CAP_IPC_LOCK", "ulimit -l"] {
        findings.expect(text.contains(word), "no '\(word)' in \(text)")
      }
      findings.all += try vm.remains()
      findings.expect(try Self.ledger(vm).value["reserved"]?.number == 0, "the ledger keeps it")
    }
  }

  // MARK: handoffs with a full ledger

  @Test(
    .enabled(if: LockedMemory.isThere, "see what is SKIPPED above"),
    arguments: [
      "", "coordinator:watch:kill", "destination:prepare:kill", "source:quiesce:kill", "source:stun:kill",
      "source:race:kill", "destination:verify:kill", "destination:publish:kill", "destination:keep:kill",
      "source:race:kill,destination:verify:kill",
      "coordinator:watch:stop,destination:verify:kill,source:resume:kill",
    ])
  func theSumIsAlwaysTheSameWhoeverDies(fault: String) async {
    await Self.check { findings in
      let vm = try Self.fullVM()
      let watch = try LedgerWatch(runtime: vm.runtime)
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let child = try vm.startHandoff(
        ["--timeout", "3s", "--max-downtime", "1s"] + (fault.isEmpty ? [] : ["--fault", fault]),
        output: output)
      _ = try TestVM.wait {
        if try child.process.waitForExit(timeout: 5_000_000) { return true }
        // Reclaims what is nobody's, in the middle of it: that must not be this record while anybody may run it.
        if ProcessTable.state(of: child.pid) == .stopped, try !(vm.machines().count > 1) {
          _ = try child.process.signal(SignalNumber.go)
        }
        return false
      }
      _ = try child.process.reap()
      let recovered = try vm.answer("recover")
      let (sums, looks) = watch.end()
      findings.expect(sums == ["67108864 in 1"] && looks > 1, "\(fault): \(looks) looks saw \(sums)")
      let ledger = try Self.ledger(vm).value
      if recovered.code == 6 {
        findings.expect(ledger["reserved"]?.number == 0, "\(fault): a lost VM keeps \(ledger)")
      } else {
        let status = try vm.status()
        let record = ledger["records"]?.elements.first
        findings.expect(ledger["reserved"]?.number == Self.size, "\(fault): \(ledger)")
        findings.expect(
          record?["owner"]?.number == status["pid"]?.number && record?["heir"] == .null, "\(fault): \(ledger)"
        )
        findings.expect(record?["alive"] == .bool(true), "\(fault): \(ledger)")
        let again = try vm.answer("handoff", ["--max-downtime", "5s"])
        findings.expect(again.code == 0, "\(fault): the next handoff: \(again)")
        findings.expect(try vm.advances(), "\(fault): the guest stands still")
      }
      findings.all += try vm.stopped()
      findings.expect(try Self.ledger(vm).value["reserved"]?.number == 0, "\(fault): something is left")
    }
  }

  @Test(.enabled(if: LockedMemory.isThere, "see what is SKIPPED above"))
  func whoLooksMeanwhileReclaimsNothing() async {
    await Self.check { findings in
      for fault in ["", "source:race:kill,destination:verify:kill", "destination:verify:kill"] {
        let vm = try Self.fullVM()
        let place = try TemporaryDirectory()
        let output = try place.directory.openFile("output", .append)
        let child = try vm.startHandoff(
          ["--timeout", "5s", "--max-downtime", "1s"] + (fault.isEmpty ? [] : ["--fault", fault]),
          output: output)
        var sums: Set<Double?> = []
        while try !child.process.waitForExit(timeout: 0) {
          sums.insert(try Self.ledger(vm).value["reserved"]?.number)
        }
        _ = try child.process.reap()
        sums.insert(try Self.ledger(vm).value["reserved"]?.number)
        findings.expect(sums == [Self.size], "\(fault): \(sums)")
        findings.all += try vm.stopped()
      }
    }
  }

  @Test(.enabled(if: LockedMemory.isThere, "see what is SKIPPED above"))
  func aKilledVMsReservationIsFree() async {
    await Self.check { findings in
      let vm = try Self.fullVM()
      let pid = Int32(try vm.answer("status").value["pid"]?.number ?? 0)
      try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
      _ = try TestVM.wait { try vm.machines().isEmpty }
      let next = try vm.fsr(["run", "next", "--memory", "64M", "--reserve", "64M", "--duty", "1"])
      findings.expect(next.code == 0, "\(next)")
      let records = try Self.ledger(vm).value["records"]?.elements ?? []
      findings.expect(records.map { $0["vm"]?.text } == ["next"], "\(records)")
      for name in ["next", vm.name] { findings.expect(try vm.fsr(["stop", name]).code == 0, "stop \(name)") }
    }
  }

  @Test(.enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
  func aGuestsOwnEndGivesItsReservationBack() async {
    await Self.check { findings in
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      let text = "li t5, 0x100000\n li t6, 0x5555\n sw t6, 0(t5)\n 1: j 1b\n"
      try place.directory.openFile("guest", .createNew).write(try GuestProgram.assemble(text))
      try vm.run(["--memory", "2M", "--reserve", "2M", "--guest", place.path + "/guest"])
      let hasEnded = try TestVM.wait { try vm.answer("status").code == 7 }
      findings.expect(hasEnded, "it never ends")
      let ledger = try Ledger(in: try Directory.open(vm.runtime)).read()
      findings.expect(ledger.records.isEmpty, "\(ledger.records)")
      findings.all += try vm.stopped()
    }
  }

  @Test(.enabled(if: LockedMemory.isThere, "see what is SKIPPED above"))
  func aLedgerThatSomebodyRemovesIsWrittenAgainByTheNextHandoff() async {
    await Self.check { findings in
      let vm = try Self.fullVM()
      try Directory.open(vm.runtime).unlink(Ledger.fileName)
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      findings.expect(handoff.code == 0, "\(handoff)")
      let ledger = try Self.ledger(vm).value
      findings.expect(ledger["reserved"]?.number == Self.size, "\(ledger)")
      findings.all += try vm.stopped()
    }
  }

  /// As where the ledger could not be written when the guest came: whoever runs it holds its memory.
  @Test(.enabled(if: LockedMemory.isThere, "see what is SKIPPED above"))
  func aRecordThatNamesAnotherProcessIsPutRightByTheNextHandoff() async {
    await Self.check { findings in
      let vm = try Self.fullVM()
      let other = try Sleeper()
      let name = vm.name
      try Ledger(in: try Directory.open(vm.runtime)).change { (book: inout LedgerBook) throws(LedgerError) in
        guard let record = book.record(of: name) else { throw LedgerError.missing(vm: name) }
        try book.settle(name, machine: record.machine, on: other.identity)
      }
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      findings.expect(handoff.code == 0, "\(handoff)")
      let (ledger, pid) = (try Self.ledger(vm).value, try vm.status()["pid"]?.number)
      let record = ledger["records"]?.elements.first
      findings.expect(record?["owner"]?.number == pid && record?["heir"] == .null, "\(ledger)")
      findings.expect(ledger["reserved"]?.number == Self.size, "\(ledger)")
      findings.all += try vm.stopped()
    }
  }

  @Test func lookingMakesNoFolder() throws {
    let place = try TemporaryDirectory()
    let result = try BuiltCommand.run(["ledger", "--runtime-dir", place.path + "/none"])
    #expect(result.code == 0 && result.errorLines.count == 1, "\(result)")
    #expect(try place.directory.names(limit: 10).isEmpty)
  }

  // MARK: damage

  @Test(
    .enabled(if: LockedMemory.isThere, "see what is SKIPPED above"),
    arguments: ["short", "scribbled", "empty", "long"]) func aDamagedLedgerIsSaidAndNoVMIsLost(
      how: String
    ) async
  {
    await Self.check { findings in
      let vm = try Self.fullVM()
      let runtime = try Directory.open(vm.runtime)
      let file = try runtime.openFile(Ledger.fileName, .readWrite)
      let size = try file.size()
      switch how {
      case "short": try file.truncate(to: size - 1)
      case "scribbled": try file.write([0xaa, 0x55], at: size / 2)
      case "empty": try file.truncate(to: 0)
      default: try file.truncate(to: size + 4096)
      }
      let run = try vm.fsr(["run", "more", "--memory", "64M", "--reserve", "4K"])
      let ledger = try vm.fsr(["ledger", "--json"])
      for result in [run, ledger] {
        findings.expect(
          result.code == 3 && result.errorLines.count == 1 && result.errors.contains("fsr ledger --rebuild"),
          "\(how): \(result)")
      }
      let reason = try JSONValue(parsing: ledger.output)
      findings.expect(
        reason.keys == ["capacity", "reserved", "nodes", "records", "reason"] && reason["reserved"] == .null,
        "\(reason)")
      // The reservation could lapse: the handoff is refused, and the guest runs.
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      findings.expect(
        handoff.code == 3 && handoff.value["reason"]?.text?.contains("--rebuild") == true,
        "\(how): \(handoff)")
      findings.expect(try vm.advances(), "\(how): the guest stands still")
      let rebuilt = try Self.ledger(vm, ["--rebuild", "--capacity", "64M"])
      findings.expect(
        rebuilt.code == 0 && rebuilt.value["reserved"]?.number == Self.size, "\(how): \(rebuilt)")
      let again = try vm.answer("handoff", ["--max-downtime", "5s"])
      findings.expect(again.code == 0, "\(how): \(again)")
      findings.all += try vm.stopped()
      findings.expect(try Self.ledger(vm).value["reserved"]?.number == 0, "\(how): something is left")
    }
  }
}
