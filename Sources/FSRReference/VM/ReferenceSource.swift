internal import FSRHandoff
internal import FSRMachine
internal import FSRState
internal import FSRSystem

/// Gives the reference VMM's guest away.
final class ReferenceSource: GuestSource {
  private let vm: ReferenceVM
  private let guest: ReferenceGuest
  private let plan: HandoffPlan
  /// Nanoseconds for a copy to become as long as the file by now is.
  private static let settleLimit: UInt64 = 5_000_000_000

  init(_ vm: ReferenceVM, by plan: HandoffPlan) {
    self.vm = vm
    guest = vm.guest
    self.plan = plan
  }

  var sectionVersions: [SectionVersion] {
    guest.writtenSections + (plan.swap == .shared ? [] : [ReferenceGuest.mirrored])
  }

  func describe() throws -> GuestDescription {
    try vm.missingPage.check()
    try makeSwapCopy()
    return try guest.describe(in: vm.context)
  }

  /// The new VMM's swap file, where it is to have one of its own.
  private func makeSwapCopy() throws {
    guard case .mirrored(let path, let rate) = plan.swap else { return }
    guard let swap = vm.swap else {
      throw HandoffError.refused(
        Reason("the VM has no swap file", remedy: "leave --swap mirrored out", code: .swap))
    }
    try swap.makeCopy(at: path, bytesPerSecond: rate)
  }

  func precopy() throws -> Precopy {
    switch plan.swap {
    case .shared: return Precopy(.standing)
    case .mirrored:
      guard let paging = guest.paging else { preconditionFailure("who has no swap file was refused") }
      return try paging.precopy()
    }
  }

  func quiesce() throws -> Bool {
    try guest.paging?.quiesce()
    if plan.swap != .shared {
      try guest.paging?.settleCopy(deadline: MonotonicClock.now() + Self.settleLimit)
    }
    guest.drain.rest()
    guest.pump.rest()
    guest.load.rest()
    guest.ports.rest()
    _ = SoakParameters.openWindow(in: guest.machine)
    guest.threads.prepareSwitch()
    return true
  }

  func stun(_ switchover: @escaping @Sendable () -> Void) {
    guest.threads.stop(switchover)
  }

  var hindrance: String? { nil }

  func cancelStun() -> Bool { guest.threads.cancelStop() }

  func drainDevices() throws {
    // Both have rested since `quiesce`, so that here nothing is left to wait for: one look at each, and from here on
    // nobody but the pager may touch the guest's memory.
    guest.pump.rest()
    guest.ports.rest()
  }

  func save(to checkpoint: inout CheckpointWriter) throws {
    try guest.paging?.freeze()
    if plan.swap != .shared { try guest.paging?.finishCopy() }
    guest.save(to: &checkpoint)
    if plan.swap != .shared {
      checkpoint.section(ReferenceGuest.mirrored.name, version: ReferenceGuest.mirrored.version) { _ in }
    }
  }

  func releaseStorage() { guest.paging?.releaseSwap() }

  func reacquireStorage() -> Bool { guest.paging?.takeBack() ?? true }

  func resume() {
    guest.paging?.cancelCopy()
    guest.paging?.thaw()
    guest.threads.resume()
    guest.threads.undoSwitch()
    try? guest.drain.start()
    try? guest.pump.start()
    try? guest.load.start()
    try? guest.ports.start()
  }

  func relinquish() {
    // All of them: the last one to end takes the process's memory apart, which is nothing to be urgent about.
    guest.threads.undoSwitch()
  }
}
