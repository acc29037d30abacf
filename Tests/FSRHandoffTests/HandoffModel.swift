import FSRHandoff

/// One host during one handoff: the real machines of all parties over a model of what lies between them.
///
/// Every transition is one step of one party, as atomic as the real step's effect on what others see.
/// Deadlines may pass at any moment, so every step that can fail for lateness may fail whenever it waits.
struct HandoffModel: Hashable {
  /// Everybody who can run, hold or decide something. A raw value is a bit in the masks.
  enum Actor: UInt8, CaseIterable {
    case source, destination, coordinator, recovery, successor1, successor2

    var bit: UInt8 { 1 << rawValue }
  }

  /// Rules that a test leaves out, to see that the exploration notices.
  enum Sabotage: Hashable {
    case none, completeBeforeSave, loserLeavesAtOnce, stunWithoutCopies, lateSourceRuns
  }

  var alive: UInt8 = Actor.source.bit | Actor.coordinator.bit
  var stopped: UInt8 = 0
  var running: UInt8 = Actor.source.bit
  var holds: UInt8 = Actor.source.bit
  var released: UInt8 = 0
  /// Who was ever started.
  var started: UInt8 = Actor.source.bit | Actor.coordinator.bit

  var words: [ResumeState] = [.none]
  var isComplete = false
  var isSaved = false
  var swapOwner: Actor? = .source
  var lockOwner: Actor? = .coordinator

  var manifestSent = false
  var destinationAgreed = false
  var prepared = false
  var acknowledged = false
  /// Memory is newer than the checkpoint: nobody may load it any more.
  var memoryIsNewer = false
  /// A runner died, which is an ordinary crash.
  var runnerDied = false
  /// All three parties were at fault at once, dead or stopped from outside: no promise is left.
  var allFaulted = false
  var faulted: UInt8 = 0

  /// The recovery that a person types when all has come to rest was used.
  var hadLastRecovery = false

  var kills: UInt8
  var stops: UInt8
  var sabotage: Sabotage

  var source = SourceHandoff()
  var destination = DestinationHandoff(.handoff)
  var successor1 = DestinationHandoff(.successor)
  var successor2 = DestinationHandoff(.successor)
  var coordinator: Coordinator
  var recovery = Coordinator(.recovery)

  init(kills: UInt8, stops: UInt8, sabotage: Sabotage = .none) {
    self.kills = kills
    self.stops = stops
    self.sabotage = sabotage
    // The lock, the settling and the request come before anything is at stake.
    var coordinator = Coordinator(.handoff)
    while coordinator.step != .takeCopies { _ = coordinator.next(after: .done) }
    self.coordinator = coordinator
  }

  // MARK: what is promised

  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  func isAlive(_ actor: Actor) -> Bool { alive & actor.bit != 0 }
  func isStopped(_ actor: Actor) -> Bool { stopped & actor.bit != 0 }
  func has(_ mask: UInt8, _ actor: Actor) -> Bool { mask & actor.bit != 0 }
  func canStep(_ actor: Actor) -> Bool { isAlive(actor) && !isStopped(actor) }

  /// The first instruction of a guest that was stopped.
  mutating func enter(_ actor: Actor) throws {
    guard running == 0 else { throw Violation(description: "\(actor) runs beside another") }
    guard !memoryIsNewer else {
      throw Violation(description: "\(actor) runs an old checkpoint over newer memory")
    }
    guard swapOwner == actor else {
      throw Violation(description: "\(actor) runs without the swap file's lock")
    }
    guard words.last!.isDecided else { throw Violation(description: "\(actor) runs in \(words.last!)") }
    guard actor == .source || isSaved else {
      throw Violation(description: "\(actor) runs without a checkpoint")
    }
    running |= actor.bit
    if isComplete { memoryIsNewer = true }
  }

  /// Death: everything that the kernel does for a process that is gone.
  mutating func bury(_ actor: Actor) {
    if has(running, actor) { runnerDied = true }
    alive &= ~actor.bit
    stopped &= ~actor.bit
    running &= ~actor.bit
    holds &= ~actor.bit
    if swapOwner == actor { swapOwner = nil }
    if lockOwner == actor { lockOwner = nil }
  }

  mutating func fault(_ actor: Actor) {
    faulted |= actor.bit
    let three = Actor.source.bit | Actor.destination.bit | Actor.coordinator.bit
    if faulted & three == three { allFaulted = true }
  }

  /// Who gives no sign by a deadline is killed; that it was late is a fault of its own.
  mutating func killLate(_ actor: Actor) {
    fault(actor)
    bury(actor)
  }

  /// What must be true when nobody has anything left to do.
  func checkAtRest() throws {
    guard running == 0, !runnerDied, isComplete, !allFaulted else { return }
    // A victor that died, or stands stopped, between its claim and its first instruction.
    let victor: Actor? =
      switch (words.count, words.last!) {
      case (_, .resumed): .source
      case (1, .destination): .destination
      case (2, .destination): .successor1
      case (3, .destination): .successor2
      default: nil
      }
    if let victor, !canStep(victor) { return }
    // The limit of successors: the guest is left to a person.
    if words.count == 3 { return }
    // A stopped process holds what others wait for.
    if stopped != 0 { return }
    throw Violation(description: "nobody runs a complete checkpoint: \(self)")
  }
}
