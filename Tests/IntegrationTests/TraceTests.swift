import FSRSystem
import FSRTestSupport
import Testing

/// `fsr handoff --trace`, with VMs of real processes.
@Suite(.serialized) struct TraceTests {
  private static func trace(_ place: borrowing TemporaryDirectory) throws -> [JSONValue] {
    let text = try place.directory.openFile("trace", .read).readAll(limit: 1 << 20)
    return try JSONValue(parsing: String(decoding: text, as: UTF8.self))["traceEvents"]?.elements ?? []
  }

  @Test func aTraceHasThePhasesInTheirOrder() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      try vm.run(["--memory", "16M", "--vcpus", "2"])
      let cases: [(fault: [String], code: Int32, marks: Set<String>)] = [
        ([], 0, ["stunned", "completed", "seen", "decided", "entered", "reaped"]),
        // Called off before the stun, and in it; each replaces the file of the one before.
        (["--fault", "destination:prepare:kill"], 4, ["requested", "started", "decided", "entered"]),
        (["--fault", "destination:verify:kill"], 4, ["stunned", "left", "completed", "decided", "entered"]),
      ]
      for (fault, expected, marks) in cases {
        let source = try vm.answer("status").value["pid"]?.number
        let (code, answer) = try vm.answer(
          "handoff", ["--max-downtime", "5s", "--trace", place.path + "/trace"] + fault)
        if code != expected { findings.append("\(fault) ended with \(code ?? -1): \(answer)") }
        let events = try Self.trace(place)
        findings += Self.findings(in: events, of: answer, marks: marks).map { "\(fault): \($0)" }
        let stun = events.first { $0["name"]?.text == "start" }
        if stun?["pid"]?.number != source { findings.append("\(fault): not by the source: \(events)") }
      }
      let names = try place.directory.names(limit: 10)
      if names != ["trace"] { findings.append("files: \(names)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aSuccessorsTraceTellsWhoIsGone() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      try vm.run(["--memory", "16M"])
      let (code, answer) = try vm.answer(
        "handoff",
        [
          "--max-downtime", "5s", "--trace", place.path + "/trace", "--fault",
          "destination:verify:kill,source:race:kill",
        ])
      if code != 0 || answer["victor"]?.text != "successor" { findings.append("handoff: \(answer)") }
      findings += Self.findings(
        in: try Self.trace(place), of: answer, marks: ["stunned", "completed", "entered"],
        parties: ["source, gone", "successor", "coordinator"])
      let record = try vm.answer("history").value["handoffs"]?.elements.last
      if record?["victor"]?.text != "successor" || record?["asked_by_pid"]?.number ?? 0 < 1
        || record?["from_executable"]?.text == nil
      {
        findings.append("history: \(String(describing: record))")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  private static func findings(
    in events: [JSONValue], of answer: JSONValue, marks: Set<String>,
    parties: Set<String> = ["source", "destination", "coordinator"]
  ) -> [String] {
    var findings: [String] = []
    func end(_ event: JSONValue) -> Double { (event["ts"]?.number ?? -1) + (event["dur"]?.number ?? 0) }
    let spans = events.filter { $0["ph"]?.text == "X" }
    guard let whole = spans.first, whole["name"]?.text == "handoff", whole["ts"]?.number == 0 else {
      return ["it does not begin with the whole: \(events)"]
    }
    let phases = spans.filter { !["handoff", "downtime"].contains($0["name"]?.text) }
    let told = answer["phases"]?.elements ?? []
    if phases.isEmpty || phases.map({ $0["name"] }) != told.map({ $0["name"] }) {
      findings.append("phases \(phases), answer \(told)")
    }
    for (phase, other) in zip(phases, told) {
      // The answer has whole microseconds.
      let start = (phase["ts"]?.number ?? -1) - (other["start_us"]?.number ?? 0)
      let length = (phase["dur"]?.number ?? -1) - (other["duration_us"]?.number ?? 0)
      if !(0..<1).contains(start) || !(-0.001..<1).contains(length) { findings.append("\(phase), \(other)") }
    }
    for span in spans where (span["ts"]?.number ?? -1) < 0 || end(span) > end(whole) + 0.001 {
      findings.append("\(span) is not within \(whole)")
    }
    for (one, next) in zip(phases, phases.dropFirst())
    where end(one) > (next["ts"]?.number ?? -1) + 0.001 {
      findings.append("\(next) begins in \(one)")
    }
    let downtime = spans.first { $0["name"]?.text == "downtime" }?["dur"]?.number
    if downtime?.rounded() != answer["downtime_us"]?.number { findings.append("downtime: \(spans)") }

    let instants = Set(events.filter { $0["ph"]?.text == "i" }.compactMap { $0["name"]?.text })
    if !instants.isSuperset(of: marks) { findings.append("marks: \(instants)") }
    let named = Set(
      events.filter { $0["name"]?.text == "process_name" }.compactMap { $0["args"]?["name"]?.text })
    if named != parties { findings.append("processes: \(named)") }
    let pids = Set(
      events.filter { ["process_name", "thread_name"].contains($0["name"]?.text) }.compactMap {
        $0["pid"]?.number
      })
    if events.contains(where: { $0["pid"]?.number.map { !pids.contains($0) } ?? true }) {
      findings.append("a process without a name: \(events)")
    }
    let times = events.filter { $0["ph"]?.text != "M" }.compactMap { $0["ts"]?.number }
    if times != times.sorted() { findings.append("times: \(times)") }
    return findings
  }

  @Test func aTraceThatCannotBeWrittenTouchesNothing() async {
    await Blocking.check {
      var findings: [String] = []
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      try vm.run(["--memory", "16M"])
      let before = try vm.blockNames()
      let long = place.path + "/" + String(repeating: "n", count: 300)
      for path in [
        place.path, place.path + "/", place.path + "/none/trace", "/dev/null", "/proc/trace", long,
      ] {
        let result = try vm.fsr(["handoff", vm.name, "--trace", path])
        if result.code != 3 || result.errorLines.count != 1 || !result.errors.contains("trace") {
          findings.append("\(path): \(result)")
        }
      }
      if try vm.blockNames() != before { findings.append("blocks: \(try vm.blockNames())") }
      let isEmpty = try place.directory.names(limit: 10).isEmpty
      if !isEmpty { findings.append("something is left") }
      // One that is refused has no timeline: what was there stays.
      try place.directory.openFile("trace", .createNew).write(Array("old".utf8))
      let refused = try vm.fsr([
        "handoff", vm.name, "--to", "/dev/null", "--trace", place.path + "/trace",
      ])
      if refused.code != 3 { findings.append("refused: \(refused)") }
      let old = try place.directory.openFile("trace", .read).readAll(limit: 100)
      if old != Array("old".utf8) { findings.append("the file was replaced") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
