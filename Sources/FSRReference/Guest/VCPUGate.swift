package import FSRHost

/// Who may be in the guest, who stands at its gate, and which of those that stand does what a stop was for.
///
/// A value: what happens is a call, and what is to be done about it is the answer. There is no thread, lock or clock in it,
/// so that a test goes through every order of calls; `VCPUGateWord` makes each of them one change of one atomic word.
package struct VCPUGate: Hashable, Sendable {
  /// Why nobody may go in. It is open while there is no reason.
  package struct Reasons: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Not started yet, or stopped for a handoff.
    package static let stopped = Reasons(rawValue: 1)
    package static let paused = Reasons(rawValue: 2)
    /// The guest has ended itself.
    package static let ended = Reasons(rawValue: 4)
    /// By the VMM itself: a page cannot be brought in.
    package static let page = Reasons(rawValue: 8)
  }

  /// What a stop has come to.
  package enum Stop: UInt8, Hashable, Sendable {
    /// None is asked for; also where one was taken back.
    case none
    case asked
    /// Somebody does what it was for, or has done it.
    case begun
  }

  /// What a vCPU does next.
  package enum Turn: Hashable, Sendable {
    case enter
    /// Sleeps, until it is told to look.
    case wait
    /// Tells the first vCPU to stop, and looks.
    case askFirst
    /// Does what the stop was for, and looks.
    case switchOver
    /// Never goes in again.
    case leave
  }

  /// Who is to be told of a stop.
  package struct Asked: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The first vCPU, to come out.
    package static let first = Asked(rawValue: 1)
    /// All others, to come out.
    package static let others = Asked(rawValue: 2)
    /// Whoever stands, to look: nobody else comes.
    package static let standing = Asked(rawValue: 4)
  }

  package let vcpus: Int
  /// Whether the first vCPU stops last, and is told only when all others stand.
  package let isFirstLast: Bool
  package private(set) var reasons = Reasons.stopped
  package private(set) var stop = Stop.none
  /// Whether nobody will go in any more.
  package private(set) var isOver = false
  /// How many vCPUs stand at the gate.
  package private(set) var parked = 0
  private var isFirstParked = false

  package init(vcpus: Int, isFirstLast: Bool) {
    self.vcpus = vcpus
    self.isFirstLast = isFirstLast && vcpus > 1
  }

  package var isOpen: Bool { reasons.isEmpty }
  package var isPaused: Bool { !reasons.isDisjoint(with: [.paused, .page]) }
  package var areAllParked: Bool { parked == vcpus }
  private var areOthersParked: Bool { parked - (isFirstParked ? 1 : 0) == vcpus - 1 }
  /// A guest that has ended itself is not handed over.
  private var isStopDue: Bool { stop == .asked && areAllParked && !reasons.contains(.ended) }

  // MARK: what vCPUs do

  /// A vCPU that is not in the guest, and does not stand, is to go in.
  package mutating func arrive(_ vcpu: Int) -> Turn {
    if isOver { return .leave }
    if isOpen { return .enter }
    parked += 1
    if vcpu == 0 { isFirstParked = true }
    // The last of the others: the destination's first thread waits on the processor of the first vCPU.
    if stop == .asked, isFirstLast, vcpu != 0, areOthersParked, !isFirstParked { return .askFirst }
    return turnOfStanding()
  }

  /// A vCPU that stands looks whether that has an end.
  package mutating func look(_ vcpu: Int) -> Turn {
    if !isOver, !isOpen { return turnOfStanding() }
    parked -= 1
    if vcpu == 0 { isFirstParked = false }
    return isOver ? .leave : .enter
  }

  private mutating func turnOfStanding() -> Turn {
    guard isStopDue else { return .wait }
    stop = .begun
    return .switchOver
  }

  /// A vCPU comes out because the guest has ended itself. All are to be told to come out.
  package mutating func guestHasEnded() { reasons.insert(.ended) }

  // MARK: stopping

  /// Closes it for a handoff; the last to stand does what that is for.
  package mutating func askToStop() -> Asked {
    reasons.insert(.stopped)
    stop = .asked
    if areAllParked { return .standing }
    if !isFirstLast { return [.first, .others] }
    return areOthersParked ? .first : .others
  }

  /// Takes a stop back that nobody has begun; false where somebody has, or none is asked for. It stays closed.
  package mutating func cancelStop() -> Bool {
    guard stop == .asked else { return false }
    stop = .none
    return true
  }

  /// Ends what a stop has closed it for, whether or not there was one.
  package mutating func resume() {
    stop = .none
    reasons.remove(.stopped)
  }

  // MARK: pausing, and starting anew

  /// Closes it until `unpause`; answers what is in the way of that. All are to be told to come out.
  package mutating func pause() -> PauseAnswer? {
    if let obstacle { return obstacle }
    reasons.insert(.paused)
    return nil
  }

  /// As `pause`, with nothing in the way: whoever waits for the page stays where it is.
  package mutating func pauseForPage() { reasons.insert(.page) }

  /// Takes a pause back that came too late.
  package mutating func forgoPause() { reasons.remove(.paused) }

  package mutating func unpause() -> PauseAnswer? {
    if let obstacle { return obstacle }
    reasons.subtract([.paused, .page])
    return nil
  }

  private var obstacle: PauseAnswer? {
    reasons.contains(.ended) ? .ended : reasons.contains(.stopped) ? .inHandoff : nil
  }

  /// How a guest comes out of a handoff: as it went in. Only before any vCPU goes in.
  package mutating func restorePaused(_ isPaused: Bool) {
    if isPaused { reasons.insert(.paused) } else { reasons.remove(.paused) }
  }

  /// A guest that had ended is at its start again, where all stand. Whoever stands is to look: it may go in, or do what a
  /// stop was for that has waited.
  package mutating func restart() { reasons.remove(.ended) }

  /// Lets nobody in any more. All are to be told to come out, and whoever stands to look.
  package mutating func end() { isOver = true }
}

// MARK: in one word

extension VCPUGate {
  /// All that varies of it: reasons, stop, whether it is over, whether the first vCPU stands, and from bit 8 on how many do.
  package var word: UInt32 {
    UInt32(reasons.rawValue) | UInt32(stop.rawValue) << 4 | (isOver ? 1 << 6 : 0)
      | (isFirstParked ? 1 << 7 : 0) | UInt32(parked) << 8
  }

  /// This gate, in the state of `word`, which was another one's.
  package func at(_ word: UInt32) -> VCPUGate {
    guard let stop = Stop(rawValue: UInt8(word >> 4 & 3)) else { preconditionFailure("no gate's word") }
    var other = self
    other.reasons = Reasons(rawValue: UInt8(word & 15))
    other.stop = stop
    other.isOver = word & 1 << 6 != 0
    other.isFirstParked = word & 1 << 7 != 0
    other.parked = Int(word >> 8)
    return other
  }
}
