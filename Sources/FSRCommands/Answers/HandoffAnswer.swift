internal import FSRClient
internal import FSRHost

/// The answer of `fsr handoff`.
package struct HandoffAnswer: Answer {
  struct Phase: Codable, Equatable, Sendable {
    var name: String
    var startUs: UInt64
    var durationUs: UInt64
  }

  struct Memory: Codable, Equatable, Sendable {
    @Nullable var pages: UInt64?
    @Nullable var sharedPages: UInt64?
    @Nullable var copiedPages: UInt64?
  }

  struct Swap: Codable, Equatable, Sendable {
    @Nullable var mode: String?
    @Nullable var slots: UInt64?
    @Nullable var bytesCopied: UInt64?
  }

  struct Reservation: Codable, Equatable, Sendable {
    @Nullable var bytes: UInt64?
  }

  @Nullable var vm: String?
  @Nullable var handoffId: String?
  /// `source`, `destination`, `successor` or `none`.
  @Nullable var victor: String?
  @Nullable var generation: UInt64?
  /// The build that was to run the guest; null of an executable that does not say.
  @Nullable var build: String?
  @Nullable var downtimeUs: UInt64?
  @Nullable var totalMs: UInt64?
  @Nullable var guestMaxGapUs: UInt64?
  var phases: [Phase] = []
  var memory = Memory()
  var swap = Swap()
  var reservation = Reservation()
  @Nullable var reason: String?
  /// Its code; null where it has none.
  @Nullable var reasonCode: String?
  var blockers: [Blocker] = []

  /// Of a handoff that did not begin.
  init(vm: String?, reason: String?) {
    self.vm = vm
    self.reason = reason
    victor = "none"
  }

  /// - Parameters:
  ///   - memoryBytes: the guest's RAM, all of which was shared; nil where it is not known.
  ///   - reservedBytes: what of it is reserved; nil where that is not known.
  init(_ report: HandoffReport, memoryBytes: UInt64?, reservedBytes: UInt64?) {
    vm = report.vm
    handoffId = report.handoffID
    victor = report.victor
    generation = report.generation
    downtimeUs = report.downtimeMicroseconds
    totalMs = report.totalMilliseconds
    guestMaxGapUs = report.guestMaxGapMicroseconds
    phases = report.phases.map { Phase(name: $0.name, startUs: $0.start, durationUs: $0.duration) }
    reason = report.why
    reservation = Reservation(bytes: reservedBytes)
    if let memoryBytes {
      let pages = memoryBytes / StatusAnswer.pageSize
      memory = Memory(pages: pages, sharedPages: pages, copiedPages: 0)
    }
  }

  /// For people.
  var lines: [String] {
    let name = vm ?? "-"
    guard victor == "destination" || victor == "successor" else { return ["\(name): \(reason ?? "done")"] }
    var parts = ["\(name): the \(victor ?? "destination") runs the guest"]
    if let downtimeUs { parts.append("downtime \(downtimeUs) µs") }
    if let guestMaxGapUs { parts.append("largest gap the guest saw \(guestMaxGapUs) µs") }
    if let totalMs { parts.append("\(totalMs) ms in all") }
    if let generation { parts.append("generation \(generation)") }
    return [parts.joined(separator: ", ")]
  }
}
