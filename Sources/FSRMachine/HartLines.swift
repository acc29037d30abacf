public import Synchronization

/// The wires into one hart: what devices, other harts and the machine's owner tell it; and out of it, what it
/// tells while it runs.
///
/// One object per hart, so that harts do not share cache lines.
public final class HartLines: Sendable {
  /// 1 while a stop is requested. A running hart looks at it every few hundred instructions.
  public let stop = Atomic<UInt32>(0)
  /// 1 while the software interrupt is pending.
  public let software = Atomic<UInt32>(0)
  /// 1 while the external interrupt is pending.
  public let external = Atomic<UInt32>(0)
  /// The timer interrupt is pending while the board's time is at or above this.
  public let timeCompare = Atomic<UInt64>(.max)
  /// 1 while the hart is caught in its trap: it faults on the first fetch of its handler, for ever.
  public let caught = Atomic<UInt32>(0)
  /// Instructions begun since the guest's birth, told by the hart every few hundred of them.
  public let instructions = Atomic<UInt64>(0)

  init() {}
}
