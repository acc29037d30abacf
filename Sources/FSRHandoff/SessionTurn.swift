internal import Synchronization

/// Who drives a session now: exactly one thread at a time, so that the session's state needs no lock.
final class SessionTurn: Sendable {
  enum Holder: UInt32 {
    /// The session's own thread.
    case session = 0
    /// Offered to whichever thread comes first.
    case open = 1
    /// The vCPU thread that performs the switch.
    case vCPU = 2
  }

  private let holder = Atomic<UInt32>(Holder.session.rawValue)

  var isWithSession: Bool { holder.load(ordering: .acquiring) == Holder.session.rawValue }

  var isWithVCPU: Bool { holder.load(ordering: .acquiring) == Holder.vCPU.rawValue }

  var isOpen: Bool { holder.load(ordering: .acquiring) == Holder.open.rawValue }

  /// Passes it on; everything done before is seen by who gets it.
  func pass(to next: Holder) { holder.store(next.rawValue, ordering: .releasing) }

  /// Takes it if it is open.
  func take(_ taker: Holder) -> Bool {
    holder.compareExchange(
      expected: Holder.open.rawValue, desired: taker.rawValue, ordering: .acquiringAndReleasing
    ).exchanged
  }
}
