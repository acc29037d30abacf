internal import Synchronization

/// Something that becomes true once, seen by every thread.
public final class OneWayFlag: Sendable {
  private let value = Atomic<Bool>(false)

  public init() {}

  public var isUp: Bool { value.load(ordering: .acquiring) }

  public func raise() { value.store(true, ordering: .releasing) }
}
