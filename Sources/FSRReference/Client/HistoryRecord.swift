internal import FoundationEssentials

/// One line of a VM's history: a handoff, or the guest's own end.
public struct HistoryRecord: Codable, Sendable {
  public var id: String
  /// ISO 8601, in UTC.
  public var time: String
  /// `handoff`, `check`, `reset` or `ended`.
  public var event: String
  public var fromBuild: String?
  public var toBuild: String?
  public var phases: [HandoffReport.Phase]
  public var victor: String?
  public var reason: String?

  private enum CodingKeys: String, CodingKey {
    case id, time, event, phases, victor, reason
    case fromBuild = "from_build"
    case toBuild = "to_build"
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
  }

  /// Something that befell the guest without a handoff.
  init(ofVM id: String, event: String, build: String, reason: String) {
    self.init(
      id: id, time: Self.now(), event: event, fromBuild: build, toBuild: nil, phases: [], victor: nil,
      reason: reason)
  }

  init(
    id: String, time: String, event: String, fromBuild: String?, toBuild: String?,
    phases: [HandoffReport.Phase], victor: String?, reason: String?
  ) {
    self.id = id
    self.time = time
    self.event = event
    self.fromBuild = fromBuild
    self.toBuild = toBuild
    self.phases = phases
    self.victor = victor
    self.reason = reason
  }

  static func now() -> String { Date().formatted(.iso8601) }

  /// One line of JSON with its end.
  var line: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("strings and numbers encode") }
    return Array(data) + [UInt8(ascii: "\n")]
  }
}
