public import FSRState

/// Why a hart came back from `VirtualCPU.run`. Its state is precise in every case.
public enum CPUExit: Equatable, Sendable {
  /// A stop was requested.
  case stopped
  /// The hart waits for an interrupt (`wfi`) and none is pending. Call again after a wake, or when the guest
  /// clock reaches `untilTicks`; nil where no timer can end it.
  case waiting(untilTicks: UInt64?)
  /// The hart ended the guest: the other harts are to be stopped.
  case ended(GuestEnd)
  /// The budget of instructions is used up.
  case budget
}
