public import FSRSystem

/// How long a party waits for what, in nanoseconds.
public struct HandoffLimits: Equatable, Sendable {
  /// An answer in the set-up.
  public var answer: UInt64 = 10_000_000_000
  /// A released flag, or an end, before the one who gives neither is killed.
  public var fence: UInt64 = 250_000_000
  /// A loser's leaving, before it is killed.
  public var reap: UInt64 = 2_000_000_000
  /// Any change at all after the checkpoint, before a coordinator calls somebody hung.
  public var settle: UInt64 = 3_000_000_000
  /// Between two looks at what cannot be slept on.
  public var pollInterval: UInt64 = 2_000_000
  /// The guest's descriptors held by the coordinator, after the destination is prepared.
  public var copies: UInt64 = 5_000_000_000

  /// What no deadline of a handoff exceeds: a week.
  public static let longest: UInt64 = 7 * 24 * 3600 * 1_000_000_000

  public init() {}

  /// A time in nanoseconds as a person reads it, to the microsecond.
  static func milliseconds(_ time: UInt64) -> String {
    let rest = time / 1000 % 1000
    return rest == 0 ? "\(time / 1_000_000) ms" : "\(Double(time / 1000) / 1000) ms"
  }
}

/// Limits as people write them: `scale=20`, or `answer=30s,settle=60s`.
extension HandoffLimits {
  /// A timeout that is given is so long, in nanoseconds: a millisecond to an hour.
  public static let timeouts: ClosedRange<UInt64> = 1_000_000...3_600_000_000_000
  /// A poll interval that is given is so long, in nanoseconds.
  public static let pollIntervals: ClosedRange<UInt64> = 100_000...1_000_000_000
  /// How many times the usual ones timeouts can be.
  public static let scales: ClosedRange<UInt64> = 1...100

  /// The timeouts by their names; a poll interval is none.
  private static var timeoutNames: [(name: String, path: WritableKeyPath<Self, UInt64>)] {
    [
      ("answer", \.answer), ("fence", \.fence), ("reap", \.reap), ("settle", \.settle), ("copies", \.copies),
    ]
  }
  private static let poll = "poll"
  private static let scale = "scale"

  /// Reads NAME=VALUE with commas between them, each name at most once: `answer`, `fence`, `reap`, `settle`, `copies` and
  /// `poll` (the poll interval) are times such as `30s`; `scale` is a number, so many times the usual ones are the timeouts
  /// that are not given themselves.
  ///
  /// - Throws: `ValueError` where it is anything else, or beyond `timeouts`, `pollIntervals` or `scales`.
  public init(parsing text: String) throws(ValueError) {
    self.init()
    var given: [String: Substring] = [:]
    for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw ValueError("limits are NAME=VALUE, with commas between them")
      }
      guard given.updateValue(parts[1], forKey: String(parts[0])) == nil else {
        throw ValueError("'\(parts[0])' is given twice")
      }
    }
    if let number = given.removeValue(forKey: Self.scale) { scaleTimeouts(by: try Self.factor(number)) }
    for (name, path) in Self.timeoutNames {
      guard let time = given.removeValue(forKey: name) else { continue }
      self[keyPath: path] = try Self.time(time, of: name, within: Self.timeouts)
    }
    if let time = given.removeValue(forKey: Self.poll) {
      pollInterval = try Self.time(time, of: Self.poll, within: Self.pollIntervals)
    }
    guard let unknown = given.keys.min() else { return }
    let names = Self.timeoutNames.map(\.name) + [Self.poll]
    throw ValueError(
      "there is no limit '\(unknown)': \(names.joined(separator: ", ")) and \(Self.scale) are there")
  }

  /// Makes every timeout `factor` times as long.
  public mutating func scaleTimeouts(by factor: UInt64) {
    for (_, path) in Self.timeoutNames { self[keyPath: path] *= factor }
  }

  private static func factor(_ text: Substring) throws(ValueError) -> UInt64 {
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt64(text), scales ~= number
    else {
      throw ValueError("'\(scale)' is a whole number, \(scales.lowerBound) to \(scales.upperBound)")
    }
    return number
  }

  private static func time(_ text: Substring, of name: String, within range: ClosedRange<UInt64>)
    throws(ValueError) -> UInt64
  {
    let time: TimeSpan
    do throws(ValueError) { time = try TimeSpan(parsing: String(text)) } catch {
      throw ValueError("'\(name)': \(error)")
    }
    guard range ~= time.nanoseconds else {
      let ends = [range.lowerBound, range.upperBound].map { "\(TimeSpan(nanoseconds: $0))" }
      throw ValueError("'\(name)' is \(ends[0]) to \(ends[1])")
    }
    return time.nanoseconds
  }
}
