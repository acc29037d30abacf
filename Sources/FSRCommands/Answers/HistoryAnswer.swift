internal import FSRClient
internal import FSRHost
internal import FSRSystem

/// The answer of `fsr history`.
package struct HistoryAnswer: Answer {
  /// One line of the file; what its build did not write down is null.
  struct Record: Codable, Equatable, Sendable {
    var id: String
    var time: String
    var event: String
    @Nullable var fromBuild: String?
    @Nullable var toBuild: String?
    var phases: [HandoffAnswer.Phase]
    @Nullable var victor: String?
    @Nullable var reason: String?
    @Nullable var reasonCode: String?
    @Nullable var askedByPid: Int32?
    @Nullable var askedByUid: UInt32?
    @Nullable var fromExecutable: String?
    @Nullable var toExecutable: String?
    @Nullable var downtimeUs: UInt64?
    @Nullable var generation: UInt64?
    @Nullable var attempt: UInt32?

    /// Who had the guest afterwards, for people: of one without a victor, what it was instead.
    var outcome: String {
      guard let victor, victor == "none" else { return victor ?? "-" }
      if reasonCode == ReasonCode.lost.name { return "lost" }
      return phases.isEmpty ? "refused" : victor
    }

    init(_ record: HistoryRecord) {
      id = record.id
      time = record.time
      event = record.event
      fromBuild = record.fromBuild
      toBuild = record.toBuild
      phases = record.phases.map {
        HandoffAnswer.Phase(name: $0.name, startUs: $0.start, durationUs: $0.duration)
      }
      victor = record.victor
      reason = record.reason
      reasonCode = record.reasonCode
      askedByPid = record.askedByPID
      askedByUid = record.askedByUser
      fromExecutable = record.fromExecutable
      toExecutable = record.toExecutable
      downtimeUs = record.downtimeMicroseconds
      generation = record.generation
      attempt = record.attempt
    }
  }

  /// Oldest first; resets and the guest's own end too.
  var handoffs: [Record] = []
  /// Lines that are no record.
  var skipped = 0
  /// Bytes at the file's beginning that were not read, because there are too many.
  var unreadBytes: UInt64 = 0
  @Nullable var reason: String?

  init(reason: String?) { self.reason = reason }

  /// - Parameter last: so many of the newest; nil for all.
  init(_ history: HistoryFile, last: Int? = nil) {
    handoffs = history.records.suffix(last ?? history.records.count).map(Record.init)
    skipped = history.skipped
    unreadBytes = history.unreadBytes
  }

  /// What a person should know of the file; nil where all of it was read.
  var warning: String? {
    var parts: [String] = []
    if skipped > 0 {
      parts.append(
        "\(skipped) \(skipped == 1 ? "line" : "lines") of the history cannot be read and were skipped")
    }
    if unreadBytes > 0 { parts.append("the oldest \(ByteSize.readable(unreadBytes)) of it were left out") }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// For people: a row for each record.
  var lines: [String] {
    guard !handoffs.isEmpty else { return ["nothing has befallen it yet"] }
    var table = TextTable([
      ("TIME (UTC)", .left), ("EVENT", .left), ("FROM BUILD", .left), ("TO BUILD", .left), ("VICTOR", .left),
      ("DOWNTIME", .right), ("REASON", .left),
    ])
    for one in handoffs {
      table.add(
        [
          one.time, one.event, Self.short(one.fromBuild), Self.short(one.toBuild), one.outcome,
          one.downtimeUs.map { "\($0) µs" } ?? "-", one.reason ?? "-",
        ].map(PlainText.line))
    }
    return table.lines
  }

  /// As much of a build id as tells builds apart.
  private static func short(_ build: String?) -> String { build.map { String($0.prefix(12)) } ?? "-" }
}
