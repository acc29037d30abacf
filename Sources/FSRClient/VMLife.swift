internal import FSRHandoff
public import FSRHost
public import FSRState
internal import FSRSystem

/// What becomes of a VM, for those who watch it over its handoffs; nobody is asked, the folder and the blocks say it.
public struct VMLife: ~Copyable, Sendable {
  /// How long a VM seems lost before it is called that, in nanoseconds: one that is stopped by force does, for a
  /// moment.
  private static let doubt: UInt64 = 1_000_000_000

  public enum End: Equatable, Sendable {
    /// The guest has ended by itself.
    case ended(GuestEnd)
    case stopped
    case lost
  }

  private let folder: VMFolder
  private var missedSince: UInt64?

  public init(of folder: borrowing VMFolder) throws(VMError) { self.folder = try folder.duplicate() }

  /// How the VM has ended; nil while somebody runs it or can.
  public mutating func end() -> End? {
    if let end = folder.ended { return .ended(end) }
    if folder.isRemoved { return .stopped }
    // Blocks come and go while somebody looks: a look that fails says nothing.
    guard let ownership = try? VMClient.ownership(of: folder), case .nobody = ownership else {
      missedSince = nil
      return nil
    }
    let now = MonotonicClock.now()
    let since = missedSince ?? now
    missedSince = since
    return now - since < Self.doubt ? nil : .lost
  }

  /// Waits for the guest's own end, over however many handoffs; nil when the VM was stopped or is lost.
  ///
  /// - Parameter isCancelled: asked between looks.
  public static func waitForEnd(of folder: borrowing VMFolder, isCancelled: () -> Bool) throws(VMError)
    -> GuestEnd?
  {
    while !isCancelled() {
      if let end = folder.ended { return end }
      switch try VMClient.ownership(of: folder) {
      case .owner(let owner): _ = owner.waitForExit(timeout: 100_000_000)
      // An owner will come of it, or its end be seen.
      case .undecided, .hidden: MonotonicClock.sleep(20_000_000)
      case .nobody: return folder.ended
      }
    }
    return nil
  }
}
