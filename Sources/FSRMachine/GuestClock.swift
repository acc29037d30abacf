/// The guest's time, given by whoever runs the machine.
///
/// It rises at 10 MHz, never goes back, and goes on through a handoff: the host's monotonic clock plus an
/// offset that travels. Several harts read it at once.
public protocol GuestClock: Sendable {
  /// Units of 100 ns.
  var ticks: UInt64 { get }
}
