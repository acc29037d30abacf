public import FSRState
internal import FSRSystem
internal import Synchronization

/// That and how the guest has ended itself: said on a vCPU thread, heard on the process's own.
public final class GuestEnding: Sendable {
  private let end = Mutex<GuestEnd?>(nil)
  private let listener = Mutex<Callback?>(nil)

  var value: GuestEnd? { end.withLock { $0 } }

  /// The first end counts: vCPUs that follow it end nothing.
  public func note(_ how: GuestEnd) {
    end.withLock { if $0 == nil { $0 = how } }
    wake()
  }

  /// Calls the listener.
  func wake() { listener.withLock { $0 }?() }

  /// Forgets the end of a guest that is started anew.
  func clear() { end.withLock { $0 = nil } }

  /// Calls `body` at the end, or now if that has come.
  func listen(_ body: @escaping @Sendable () -> Void) {
    listener.withLock { $0 = Callback(body) }
    if value != nil { body() }
  }
}
