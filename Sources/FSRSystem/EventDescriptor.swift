internal import CFSRLinux
internal import Glibc

/// A flag that a `Poller` can wait for and that may be sent to another process (eventfd(2)).
public struct EventDescriptor: ~Copyable, Sendable {
  /// For a `Poller`: readable while the flag is up.
  public let descriptor: OwnedDescriptor

  public init() throws(SystemError) {
    descriptor = OwnedDescriptor(adopting: try check(cfsr_event_descriptor(), "eventfd"))
  }

  /// Takes an eventfd that somebody else made.
  public init(adopting descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// A second descriptor of the same flag.
  public func duplicate() throws(SystemError) -> EventDescriptor {
    EventDescriptor(adopting: try descriptor.duplicate())
  }

  /// Puts the flag up; it stays up however often this is called.
  public func signal() throws(SystemError) {
    do {
      try descriptor.write([1, 0, 0, 0, 0, 0, 0, 0])
    } catch  where error.errno == EAGAIN {
      // The count behind the flag is full: it is up.
    }
  }

  /// Takes the flag down; answers whether it was up.
  @discardableResult
  public func clear() throws(SystemError) -> Bool {
    do {
      return try descriptor.read(limit: 8).count == 8
    } catch  where error.errno == EAGAIN {
      return false
    }
  }
}
