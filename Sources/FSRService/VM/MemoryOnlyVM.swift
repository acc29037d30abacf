public import FSRHandoff
internal import FSRMemory
internal import FSRSystem

/// A VM that consists of memory and vCPUs: no files that it alone may write, nothing that works beside the guest, nothing
/// copied ahead of the stun. What is asked of it there is answered here; what remains is its vCPUs and their state.
public protocol MemoryOnlyVM: ManagedVM, GuestSource {}

extension MemoryOnlyVM {
  public var processors: [Int] { [] }

  public func begin() {}
  public func removeFiles() {}

  /// By the plan's axes there is nothing to choose, but for the depth.
  public func source(for plan: HandoffPlan) throws -> any GuestSource {
    guard plan.swap == .shared else {
      throw HandoffError.refused(
        Reason("the VM has no swap file", remedy: "leave --swap mirrored out", code: .swap))
    }
    return self
  }

  public func handoffCameToNothing() {}
  public func cameHere() {}

  public func mapPresentPages(progress: (UInt64) -> Void) throws {
    try memory.mapPresentPages(in: 0..<memory.size, progress: progress)
  }

  public func rehearse() {}
  public func takeStorage() -> Bool { true }
  public func precopy() -> Precopy { Precopy(.standing) }
  public func quiesce() -> Bool { true }
  public var hindrance: String? { nil }
  public func drainDevices() {}
  public func releaseStorage() {}
  public func reacquireStorage() -> Bool { true }
  public func relinquish() {}
}
