public import FSRHandoff
public import FSRHost
internal import FSRSystem
internal import FoundationEssentials

/// A handoff's timeline in the Trace Event format, as Perfetto and chrome://tracing open it.
///
/// The coordinator's track has the whole of it and the downtime, those of source and destination have their phases
/// and the moments they wrote down. Time 0 is the request.
public struct HandoffTrace: Encodable, Sendable {
  struct Event: Encodable, Sendable {
    var name: String
    /// `X` has a duration, `i` is an instant, `M` names a process or a thread.
    var ph: String
    /// Microseconds.
    var ts: Double = 0
    var dur: Double?
    var pid: Int32
    var tid: Int32
    var cat: String?
    /// The scope of an instant: its thread.
    var s: String?
    var args: [String: String]?
  }

  private var traceEvents: [Event] = []
  private let displayTimeUnit = "ms"
  private let otherData: [String: String]

  public init(of block: ControlBlock, _ report: HandoffReport) {
    otherData = [
      "vm": report.vm, "handoff_id": report.handoffID, "victor": report.victor,
      "generation": "\(report.generation)", "reason": report.why ?? "",
      "monotonic_ns_at_0": "\(block.time(of: .requested))",
    ]
    let pids = Party.allCases.map { block.identity(of: $0)?.pid ?? 0 }
    func pid(_ party: Party) -> Int32 { pids[Int(party.rawValue)] }
    let start = block.time(of: .requested)
    func microseconds(_ time: UInt64) -> Double { Double(time - min(start, time)) / 1000 }
    func span(_ name: String, _ begin: UInt64, _ end: UInt64, _ party: Party) -> Event {
      Event(
        name: name, ph: "X", ts: microseconds(begin), dur: Double(end - begin) / 1000, pid: pid(party),
        tid: pid(party), cat: "handoff")
    }
    let isSuccessor = report.victor == "successor"
    let victor: Party = block.state == .destination ? .destination : .source

    var events: [Event] = []
    let times = TimelineMark.allCases.map { block.time(of: $0) }
    if start != 0, let end = times.max(), end >= start {
      events.append(span("handoff", start, end, .coordinator))
    }
    let (left, entered) = (block.time(of: .left), block.time(of: .entered))
    if left != 0, entered > left { events.append(span("downtime", left, entered, .coordinator)) }
    for stretch in HandoffPhase.all {
      guard let (begin, end) = stretch.times(in: block) else { continue }
      events.append(span(stretch.name, begin, end, stretch.performer.party(victor: victor)))
    }
    for mark in TimelineMark.allCases {
      let time = block.time(of: mark)
      guard time != 0, time >= start else { continue }
      let writer = pid(mark.writer(victor: victor, isSuccessor: isSuccessor))
      events.append(
        Event(
          name: "\(mark)", ph: "i", ts: microseconds(time), pid: writer, tid: writer, cat: "mark", s: "t"))
    }
    // Whoever contains others comes first.
    events.sort { ($0.ts, -($0.dur ?? 0)) < ($1.ts, -($1.dur ?? 0)) }
    traceEvents = Self.names(pids, isSuccessor: isSuccessor) + events
  }

  private static func names(_ pids: [Int32], isSuccessor: Bool) -> [Event] {
    zip(Party.allCases, pids).flatMap { party, pid in
      // A successor's source is gone, and no number of it stands in the block.
      let part = isSuccessor && party == .destination ? "successor" : "\(party)"
      let name = pid == 0 ? "\(part), gone" : part
      return ["process_name", "thread_name"].map {
        Event(name: $0, ph: "M", pid: pid, tid: pid, args: ["name": name])
      }
    }
  }

  /// The file's content.
  public var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("finite numbers encode") }
    return Array(data) + [UInt8(ascii: "\n")]
  }
}

extension HandoffPhase.Performer {
  fileprivate func party(victor: Party) -> Party {
    switch self {
    case .source: .source
    case .destination: .destination
    case .victor: victor
    }
  }
}

extension TimelineMark {
  /// Whose clock the mark was read on.
  fileprivate func writer(victor: Party, isSuccessor: Bool) -> Party {
    switch self {
    case .prepared where isSuccessor: .destination
    case .requested, .started, .negotiated, .prepared, .copied, .quiesced, .stunned, .left, .saved,
      .completed:
      .source
    case .seen, .loaded: .destination
    case .decided, .entered, .reaped, .reported: victor
    }
  }
}
