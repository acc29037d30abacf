internal import FSRMachine
package import FSRState
internal import FSRSystem
internal import Synchronization

/// The guest's time: the host's monotonic clock since the guest's birth, in units of 100 ns.
///
/// The birth travels; both processes read the same clock, so time goes on through the stun and never back.
package final class HostClock: GuestClock, SavesState {
  private let birth: Atomic<UInt64>

  package init(birth: UInt64 = MonotonicClock.now()) { self.birth = Atomic(birth) }

  package var ticks: UInt64 { (MonotonicClock.now() &- birth.load(ordering: .relaxed)) / 100 }

  /// When the guest's time will be `ticks`, on the host's clock.
  func hostTime(ofTicks ticks: UInt64) -> UInt64 {
    let (nanoseconds, overflow) = ticks.multipliedReportingOverflow(by: 100)
    let (time, carry) = nanoseconds.addingReportingOverflow(birth.load(ordering: .relaxed))
    return overflow || carry ? .max : time
  }

  package static var stateVersion: UInt16 { 1 }

  package func save(to writer: inout ByteWriter) { writer.write(birth.load(ordering: .relaxed)) }

  package func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("clock", has: version, reads: Self.stateVersion)
    }
    let value = try reader.read(UInt64.self)
    try reader.finish()
    guard value <= MonotonicClock.now() else { throw .invalid("birth in the future", value) }
    birth.store(value, ordering: .relaxed)
  }
}
