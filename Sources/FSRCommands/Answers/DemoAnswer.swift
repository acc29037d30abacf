/// The answer of `fsr demo`.
package struct DemoAnswer: Answer {
  struct Handoff: Codable, Equatable, Sendable {
    var victor: String
    var generation: UInt64
    @Nullable var downtimeUs: UInt64?
    @Nullable var guestMaxGapUs: UInt64?
    var totalMs: UInt64
    var fromPid: Int32
    var toPid: Int32
  }

  /// What the soak guest says of itself.
  struct Guest: Codable, Equatable, Sendable {
    var passes: UInt64
    var ticks: UInt64
    var errors: UInt64
  }

  /// Whether all went well: every handoff won, no error in the guest, nothing left behind.
  var ok = false
  @Nullable var reason: String?
  var handoffs: [Handoff] = []
  @Nullable var before: Guest?
  @Nullable var after: Guest?
  @Nullable var maxDowntimeUs: UInt64?
  @Nullable var maxGapUs: UInt64?
  @Nullable var processesLeft: Int?
  @Nullable var filesLeft: Int?

  init() {}

  mutating func add(_ handoff: Handoff) {
    handoffs.append(handoff)
    maxDowntimeUs = handoffs.compactMap(\.downtimeUs).max()
    maxGapUs = handoffs.compactMap(\.guestMaxGapUs).max()
  }

  /// For people: what it all came to.
  var lines: [String] {
    guard let before, let after else { return [] }
    return [
      "",
      "The guest kept working: \(after.passes) passes over its memory (\(before.passes) at the start), "
        + "\(after.ticks) ticks (\(before.ticks)), \(after.errors) errors.",
      "\(handoffs.count) handoffs: longest downtime \(maxDowntimeUs.map { "\($0)" } ?? "-") µs, "
        + "largest gap that the guest saw \(maxGapUs.map { "\($0)" } ?? "-") µs.",
      "Left behind: "
        + (processesLeft == 0 && filesLeft == 0
          ? "no process, no file, no memory."
          : "\(processesLeft ?? 0) processes, \(filesLeft ?? 0) files."),
    ]
  }
}
