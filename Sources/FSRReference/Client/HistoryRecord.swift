internal import FSRHandoff
internal import FSRSystem
internal import FoundationEssentials

/// One line of a VM's history: a handoff, or what befell the guest without one.
public struct HistoryRecord: Codable, Equatable, Sendable {
  public var id: String
  /// ISO 8601, in UTC.
  public var time: String
  /// `handoff`, `check`, `reset` or `ended`.
  public var event: String
  public var fromBuild: String?
  public var toBuild: String?
  public var phases: [HandoffReport.Phase] = []
  public var victor: String?
  public var reason: String?
  /// The reason's code, by its name; nil where it has none, and in records of builds that wrote none.
  public var reasonCode: String?
  /// Who asked for the handoff. Records of older builds leave this out, and all that follows.
  public var askedByPID: Int32?
  public var askedByUser: UInt32?
  public var fromExecutable: String?
  public var toExecutable: String?
  public var downtimeMicroseconds: UInt64?
  /// Of whoever has the guest afterwards.
  public var generation: UInt64?
  public var attempt: UInt32?

  private enum CodingKeys: String, CodingKey {
    case id, time, event, phases, victor, reason, generation, attempt
    case reasonCode = "reason_code"
    case fromBuild = "from_build"
    case toBuild = "to_build"
    case askedByPID = "asked_by_pid"
    case askedByUser = "asked_by_uid"
    case fromExecutable = "from_executable"
    case toExecutable = "to_executable"
    case downtimeMicroseconds = "downtime_us"
  }

  /// Every key is there, also where there is nothing to say.
  public func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: CodingKeys.self)
    try keys.encode(id, forKey: .id)
    try keys.encode(time, forKey: .time)
    try keys.encode(event, forKey: .event)
    try keys.encode(fromBuild, forKey: .fromBuild)
    try keys.encode(toBuild, forKey: .toBuild)
    try keys.encode(phases, forKey: .phases)
    try keys.encode(victor, forKey: .victor)
    try keys.encode(reason, forKey: .reason)
    try keys.encode(reasonCode, forKey: .reasonCode)
    try keys.encode(askedByPID, forKey: .askedByPID)
    try keys.encode(askedByUser, forKey: .askedByUser)
    try keys.encode(fromExecutable, forKey: .fromExecutable)
    try keys.encode(toExecutable, forKey: .toExecutable)
    try keys.encode(downtimeMicroseconds, forKey: .downtimeMicroseconds)
    try keys.encode(generation, forKey: .generation)
    try keys.encode(attempt, forKey: .attempt)
  }

  /// Something that happens now.
  package init(id: String, event: String) {
    self.id = id
    self.event = event
    time = Date().formatted(.iso8601)
  }

  /// A handoff, or a trial of one, that ends now.
  init(
    _ event: String, of block: ControlBlock, _ report: HandoffReport, fromBuild: String?, toBuild: String?
  ) {
    self.init(id: report.handoffID, event: event)
    self.fromBuild = fromBuild
    self.toBuild = toBuild
    phases = report.phases
    victor = report.victor
    reason = report.why
    reasonCode = report.reason?.code?.name
    askedByPID = block.asker?.pid
    askedByUser = block.asker?.user
    fromExecutable = block.executable(of: .source)
    toExecutable = block.executable(of: .destination)
    downtimeMicroseconds = report.downtimeMicroseconds
    generation = report.generation
    attempt = block.attempt
  }

  /// - Throws: `DecodingError` for what is no record.
  init(line: some Sequence<UInt8>) throws {
    self = try JSONDecoder().decode(HistoryRecord.self, from: Data(line))
  }

  /// One line of JSON with its end.
  package var line: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("strings and numbers encode") }
    return Array(data) + [UInt8(ascii: "\n")]
  }
}
