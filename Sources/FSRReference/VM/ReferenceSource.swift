internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRService
internal import FSRState
internal import FSRSystem

/// Gives the reference VMM's guest away: its parts, its vCPUs, and what only a plan asks for.
final class ReferenceSource: GuestSource {
  private let vm: ReferenceVM
  private let guest: ReferenceGuest
  private let parts: GuestParts
  private let plan: HandoffPlan
  /// The parts that this plan copies.
  private let copied: [any CopyingPart]
  /// Nanoseconds for a copy to become as long as the file by now is.
  private static let settleLimit: UInt64 = 5_000_000_000
  /// Bytes set aside for a checkpoint, for the vCPUs' share and for all else.
  private static let checkpointPerVCPU: UInt64 = 4096
  private static let checkpointBase: UInt64 = 65536

  init(_ vm: ReferenceVM, by plan: HandoffPlan) {
    self.vm = vm
    guest = vm.guest
    parts = vm.parts
    self.plan = plan
    copied = vm.parts.copied(by: plan)
  }

  var sectionVersions: [SectionVersion] { vm.state.sections + copied.flatMap(\.copySections) }

  func describe() throws -> GuestDescription {
    try vm.missingPage.check()
    try makeSwapCopy()
    var configuration = guest.configuration
    if let paging = guest.paging { configuration.paging?.swap = paging.nextPath }
    var description = GuestDescription(
      manifest: vm.context.manifest(
        slots: [], memory: [],
        sections: [StateSection(name: "configuration", version: 1, payload: configuration.encoded)],
        checkpointCapacity: Self.checkpointBase + UInt64(configuration.vcpus) * Self.checkpointPerVCPU),
      descriptors: DescriptorBag())
    try parts.describe(into: &description)
    return description
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

  func precopy() throws -> Precopy { try parts.precopy(copied) }

  func quiesce() throws -> Bool {
    try parts.quiesce(copied) { MonotonicClock.now() + Self.settleLimit }
    _ = SoakParameters.openWindow(in: guest.machine)
    guest.threads.prepareSwitch()
    return true
  }

  func stun(_ switchover: @escaping @Sendable () -> Void) {
    guest.threads.stop(switchover)
  }

  var hindrance: String? { nil }

  func cancelStun() -> Bool { guest.threads.cancelStop() }

  func drainDevices() throws { try parts.drain() }

  func save(to checkpoint: inout CheckpointWriter) throws {
    try parts.freeze(copied)
    vm.state.save(to: &checkpoint)
    for part in copied { part.saveCopy(to: &checkpoint) }
  }

  func releaseStorage() { parts.release() }

  func reacquireStorage() -> Bool { parts.reacquire() }

  func resume() {
    parts.letTouch()
    guest.threads.resume()
    guest.threads.undoSwitch()
    parts.goOn()
  }

  func relinquish() {
    // All of them: the last one to end takes the process's memory apart, which is nothing to be urgent about.
    guest.threads.undoSwitch()
  }
}
