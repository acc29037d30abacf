/// One axis of a `HandoffPlan` as it travels: a name, a value, and what belongs to the value.
public struct PlanAxis: Equatable, Sendable {
  public let name: String
  public let value: String
  /// Such as a path; each name once.
  public let details: [Detail]
  /// Whether a VMM that does not know the axis, or the value, must refuse; another it takes as left out.
  public let isNeeded: Bool

  public struct Detail: Equatable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  static let limit = 16
  static let detailLimit = 16
  static let nameLimit = 64

  public init(_ name: String, _ value: String, _ details: [Detail] = [], isNeeded: Bool = true) {
    self.name = name
    self.value = value
    self.details = details
    self.isNeeded = isNeeded
  }

  /// The value of the detail `name`; nil where the axis has none of that name.
  func detail(_ name: String) -> String? { details.first { $0.name == name }?.value }
}
