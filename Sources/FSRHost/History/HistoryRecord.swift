package import FSRHandoff
internal import FSRSystem

/// One line of a VM's history: a handoff, or what befell the guest without one.
public struct HistoryRecord: Decodable, Equatable, Sendable {
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

  /// Something that happens now.
  package init(id: String, event: String) {
    self.id = id
    self.event = event
    time = UTCTime.now()
  }

  /// A handoff, or a trial of one, that ends now.
  package init(
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

  /// One line of JSON with its end. Every key is there, also where there is nothing to say.
  package var line: [UInt8] {
    var object = JSONObject()
    func put(_ key: CodingKeys, _ text: String?) { object.put(key.rawValue, text) }
    func put(_ key: CodingKeys, _ number: (some BinaryInteger)?) { object.put(key.rawValue, number) }
    put(.id, id)
    put(.time, time)
    put(.event, event)
    put(.fromBuild, fromBuild)
    put(.toBuild, toBuild)
    object.put(CodingKeys.phases.rawValue, phases.map(\.json))
    put(.victor, victor)
    put(.reason, reason)
    put(.reasonCode, reasonCode)
    put(.askedByPID, askedByPID)
    put(.askedByUser, askedByUser)
    put(.fromExecutable, fromExecutable)
    put(.toExecutable, toExecutable)
    put(.downtimeMicroseconds, downtimeMicroseconds)
    put(.generation, generation)
    put(.attempt, attempt)
    return Array(object.text.utf8) + [Self.lineEnd]
  }
}
