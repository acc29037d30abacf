import FSRSystem
import FSRTestSupport
import Testing

/// `fsr history`, with VMs of real processes.
@Suite(.serialized) struct HistoryTests {
  /// The record of a loss, which the coordinator wrote, and which nobody writes twice.
  private static func lossFindings(_ vm: TestVM, says: String) throws -> [String] {
    var findings: [String] = []
    let (code, answer) = try vm.answer("recover")
    if code != 6 || answer["owner"]?.text != "none" || answer["pid"] != .null {
      findings.append("recover: \(code as Any) \(answer)")
    }
    let records = try vm.answer("history").value["handoffs"]?.elements ?? []
    let isTold =
      records.first?["reason"]?.text == "the VM is lost: \(says)"
      && records.first?["reason_code"]?.text == "lost"
    if records.count != 1 || !isTold || records.first?["victor"]?.text != "none" {
      findings.append("history: \(records)")
    }
    if try !vm.fsr(["history", vm.name]).output.contains(" lost ") { findings.append("no line says lost") }
    let log = try vm.fsr(["log", vm.name]).output
    if !log.contains("handoff 2 ended: the VM is lost: \(says)") { findings.append("log: \(log)") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }

  @Test func aLossIsToldByWhoFindsIt() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let lost = try vm.answer("handoff", ["--fault", "source:quiesce:kill"])
      var findings = lost.code == 6 ? [] : ["handoff: \(lost)"]
      findings += try Self.lossFindings(
        vm, says: "the source died before the destination had the guest's state")
      return findings
    }
  }

  @Test func aLossOfBothIsToldAsThat() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      guard let source = try vm.answer("status").value["pid"]?.number.map({ Int32($0) }) else {
        return ["nobody runs it"]
      }
      let handoff = try vm.startHandoff(["--fault", "source:quiesce:stop"], output: output)
      let isStopped = try TestVM.wait { try vm.machines()[source] == .stopped }
      if !isStopped { return ["the source does not stop"] }
      // The destination first: one that sees the source die has time to leave.
      guard let destination = try vm.machines().keys.first(where: { $0 != source }) else {
        return ["there is no destination"]
      }
      for pid in [destination, source] {
        try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name)
        if try !TestVM.wait(until: { try vm.machines()[pid] == nil }) { return ["\(pid) does not die"] }
      }
      let status = try handoff.ended()
      var findings = status == .exited(6) ? [] : ["handoff ended with \(String(describing: status))"]
      findings += try Self.lossFindings(vm, says: "source and destination died")
      return findings
    }
  }

  @Test func aRefusedHandoffHasNoVictorButIsRefused() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let mirrored = ["--swap", "mirrored", "--swap-file", "/tmp/never-made"]
      let (code, answer) = try vm.answer("handoff", mirrored)
      var findings: [String] = []
      if code != 3 || answer["blockers"]?.elements.first?["code"]?.text != "swap" {
        findings.append("handoff: \(code as Any) \(answer)")
      }
      let said = try vm.fsr(["history", vm.name]).output
      if !said.contains(" refused ") || said.contains(" none ") { findings.append(said) }
      if try !vm.fsr(["log", vm.name]).output.contains("handoff 2 was refused: the VM has no swap file") {
        findings.append("nothing of it in the log")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aHistoryThatIsTooLongLosesItsOlderHalf() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let folder = try Directory.open("\(vm.runtime)/\(vm.name)")
      let reason = String(repeating: "r", count: 1000)
      let line = { (number: Int) in
        #"{"id":"old-\#(number)","time":"2026-01-02T03:04:05Z","event":"check","phases":[],"reason":"\#(reason)"}"#
          + "\n"
      }
      let count = 17_000
      let lines = Array((0..<count).map(line).joined().utf8)
      try folder.openFile("history", .append).write(lines)
      let (code, _) = try vm.answer("check", ["--max-downtime", "5s"])
      var findings = code == 0 ? [] : ["check: \(code ?? -1)"]
      let size = try folder.openFile("history", .read).size()
      if size > 9 << 20 || size < 7 << 20 { findings.append("\(size) bytes") }
      let answer = try vm.answer("history").value
      let records = answer["handoffs"]?.elements ?? []
      if answer["skipped"]?.number != 0 || answer["unread_bytes"]?.number != 0 {
        findings.append("a line is broken")
      }
      // The newest, each of them, and the check behind them.
      let ids = records.dropLast().compactMap { $0["id"]?.text }
      if ids.isEmpty || ids != (count - ids.count..<count).map({ "old-\($0)" }) {
        findings.append("\(ids.count) records: \(ids.first ?? "-") to \(ids.last ?? "-")")
      }
      if records.last?["event"]?.text != "check" || records.last?["reason"]?.text == reason {
        findings.append("the last: \(records.last ?? .null)")
      }
      if try folder.exists("history.new") { findings.append("a file is left") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func everyHandoffIsToldWithWhoAskedForIt() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      let (empty, nothing) = try vm.answer("history")
      if empty != 0 || nothing["handoffs"]?.elements != [] { findings.append("at first: \(nothing)") }
      let won = try vm.answer("handoff", ["--max-downtime", "5s"]).value
      let off = try vm.answer("handoff", ["--max-downtime", "5s", "--fault", "destination:prepare:kill"])
        .value
      let (code, answer) = try vm.answer("history")
      let records = answer["handoffs"]?.elements ?? []
      guard code == 0, records.count == 2 else { return ["history: \(answer)"] }
      for (record, handoff) in zip(records, [won, off]) {
        for (key, other) in [
          ("id", "handoff_id"), ("victor", "victor"), ("downtime_us", "downtime_us"),
          ("generation", "generation"),
        ] where record[key] != handoff[other] || record[key] == nil {
          findings.append("\(key) differs: \(record), \(handoff)")
        }
        // In the words of whoever saw it: the coordinator's may be others than the source's.
        if (record["reason"] == .null) != (handoff["reason"] == .null) {
          findings.append("reasons: \(record), \(handoff)")
        }
        if record["asked_by_uid"]?.number != Double(Host.effectiveUserID)
          || record["asked_by_pid"]?.number ?? 0 < 1
        {
          findings.append("who asked: \(record)")
        }
        if record["from_executable"]?.text?.hasSuffix("/fsr") != true { findings.append("from: \(record)") }
        if record["from_build"]?.text?.isEmpty != false || record["event"]?.text != "handoff" {
          findings.append("record: \(record)")
        }
      }
      if records.map({ $0["attempt"]?.number }) != [2, 3] { findings.append("attempts: \(records)") }
      if records[0]["to_executable"]?.text?.hasSuffix("/fsr") != true { findings.append("to: \(records)") }
      if records.map({ $0["victor"]?.text }) != ["destination", "source"] { findings.append("\(records)") }
      let last = try vm.answer("history", ["--last", "1"]).value["handoffs"]?.elements ?? []
      if last != [records[1]] { findings.append("the last one: \(last)") }
      findings += try Self.table(of: vm)
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// What a person sees, of a file that somebody has corrupt in, too.
  private static func table(of vm: TestVM) throws -> [String] {
    var findings: [String] = []
    let plain = try vm.fsr(["history", vm.name])
    let lines = plain.output.split(separator: "\n")
    if plain.code != 0 || lines.count != 3 || !plain.errors.isEmpty || !lines[1].contains(" destination ")
      || !lines[1].contains("µs") || !lines[0].contains("TIME (UTC)")
    {
      findings.append("table: \(plain)")
    }
    let folder = try Directory.open("\(vm.runtime)/\(vm.name)")
    let hostile = #"{"id":"x","time":"\u001b[2J","event":"handoff","phases":[]}"#
    try folder.openFile("history", .append).write(Array("\(hostile)\n\u{1b}[31m\n{\"id\":\"cut".utf8))
    let corrupt = try vm.fsr(["history", vm.name])
    if corrupt.code != 0 || corrupt.errorLines.count != 1 || !corrupt.errors.contains("2 lines")
      || corrupt.output.contains("\u{1b}") || !corrupt.output.contains(#"\u{1b}[2J"#)
    {
      findings.append("scribbled: \(corrupt)")
    }
    let json = try vm.answer("history").value
    if json["skipped"]?.number != 2 || json["handoffs"]?.elements.count != 3 { findings.append("\(json)") }
    // A line that was cut short takes no other record with it.
    _ = try vm.answer("handoff", ["--max-downtime", "5s"])
    let next = try vm.answer("history").value
    if next["skipped"]?.number != 2 || next["handoffs"]?.elements.last?["attempt"]?.number != 4 {
      findings.append("after a cut line: \(next)")
    }
    return findings
  }

  @Test func aLostVMHasAHistoryAndALog() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      try vm.run(["--memory", "16M"])
      _ = try vm.answer("handoff", ["--max-downtime", "5s"])
      for (pid, _) in try vm.machines() { try ProcessTable.signal(SignalNumber.kill, pid: pid, of: vm.name) }
      let isLost = try TestVM.wait { try vm.answer("status").code == 6 }
      if !isLost { findings.append("it is not lost") }
      let (code, answer) = try vm.answer("history")
      if code != 0 || answer["handoffs"]?.elements.count != 1 { findings.append("history: \(answer)") }
      let log = try vm.fsr(["log", vm.name])
      if log.code != 0 || !log.output.contains("handoff 2 begins") { findings.append("log: \(log)") }
      // Nobody will write to it any more.
      let followed = try vm.fsr(["log", vm.name, "--follow"])
      if followed.code != 6 || followed.output != log.output || followed.errorLines.count != 1 {
        findings.append("followed: \(followed)")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test(.enabled(if: GuestProgram.isClangThere, "a clang that builds for RISC-V"))
  func anEndedGuestHasAHistoryAndALog() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      let end = "li t5, 0x100000\n li t6, 0x5555\n sw t6, 0(t5)\n 1: j 1b\n"
      try place.directory.openFile("guest", .createNew).write(try GuestProgram.assemble(end))
      try vm.run(["--memory", "2M", "--guest", place.path + "/guest"])
      // It goes on until the guest has ended.
      let followed = try vm.fsr(["log", vm.name, "--follow"])
      if followed.code != 0 || !followed.output.contains("the guest has ended: passed")
        || followed.errorLines.count != 1
      {
        findings.append("followed: \(followed)")
      }
      let (code, answer) = try vm.answer("history")
      let record = answer["handoffs"]?.elements.first
      if code != 0 || record?["event"]?.text != "ended" || record?["reason"]?.text != "passed"
        || record?["generation"]?.number != 1 || record?["attempt"] != .null
      {
        findings.append("history: \(answer)")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
