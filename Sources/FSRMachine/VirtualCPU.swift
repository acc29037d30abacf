public import FSRState

/// One hart, run by one host thread of its owner.
///
/// `save` and `restore` are for a hart that is not in `run`.
public protocol VirtualCPU: SavesState, AnyObject, Sendable {
  /// Its number, 0 to `Machine.harts - 1`.
  var hart: Int { get }
  /// Instructions begun since the guest's birth, handoffs included. Never waits: while the hart runs it may be
  /// some hundred behind.
  var instructions: UInt64 { get }
  /// Runs the guest until something is to be done outside, or `budget` instructions are done.
  func run(budget: UInt64) -> CPUExit
  /// Puts the hart where the boot protocol wants it: at `entry`, its number in a0, the device tree in a1.
  func reset(entry: UInt64, deviceTree: UInt64)
}
