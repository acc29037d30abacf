internal import FSRHandoff
internal import FSRHost
internal import FSRSystem
internal import Synchronization

/// Accepts clients on the VM's control socket, each served by a thread of its own.
final class ControlServer: Sendable {
  /// Connections served at once; one more waits in the socket's queue.
  private static let connectionLimit = 16
  /// How long a client waits that can be neither served nor turned away, before that is tried again, in nanoseconds.
  private static let acceptInterval: UInt64 = 20_000_000
  private static let pid = ProcessIdentity.current().pid

  /// Which only the owner accepts on.
  let listener: Owned<UnixSocket>
  private let log: ServiceLog
  private let isAccepting = Atomic<Bool>(true)
  private let connections = Atomic<Int>(0)
  /// Makes room for telling a client that there is no descriptor left to serve it with.
  private let spare = Mutex<OwnedDescriptor?>(nil)

  init(on listener: Owned<UnixSocket>, log: ServiceLog) {
    self.listener = listener
    self.log = log
  }

  /// Called where what the start needed is closed again: the spare descriptor gets a low number, which a lowered limit
  /// reaches last.
  func begin() { spare.withLock { $0 = Self.anyDescriptor() } }

  func stopAccepting() { isAccepting.store(false, ordering: .releasing) }

  func startAccepting() { isAccepting.store(true, ordering: .releasing) }

  /// Whether a client that comes could be served.
  var hasRoom: Bool {
    connections.load(ordering: .acquiring) < Self.connectionLimit && isAccepting.load(ordering: .acquiring)
  }

  /// Takes the client that waits, if one can be served.
  ///
  /// - Parameters:
  ///   - serve: on a thread of the client's.
  ///   - served: after that; there is room for another one.
  func accept(
    serve: @escaping @Sendable (Owned<UnixSocket>) -> Void, then served: @escaping @Sendable () -> Void
  ) {
    guard hasRoom else { return }
    let held: Owned<UnixSocket>
    do throws(SystemError) {
      guard let socket = try listener.value.accept() else { return }
      held = Owned(socket)
    } catch {
      turnNextAway(error)
      return
    }
    connections.add(1, ordering: .acquiringAndReleasing)
    do throws(SystemError) {
      _ = try OSThread.start(name: "client", detached: true) { [self] in
        serve(held)
        connections.subtract(1, ordering: .acquiringAndReleasing)
        served()
      }
    } catch {
      connections.subtract(1, ordering: .acquiringAndReleasing)
      turnAway(held, error)
    }
  }

  /// Takes the client that waits, for which there is no descriptor: left waiting it would wake the loop without end.
  private func turnNextAway(_ error: SystemError) {
    spare.withLock { spare in
      spare = nil
      if let socket = try? listener.value.accept() {
        turnAway(Owned(socket), error)
      } else {
        // It waits on, and is to keep no processor busy.
        MonotonicClock.sleep(Self.acceptInterval)
      }
      spare = Self.anyDescriptor()
    }
  }

  private static func anyDescriptor() -> OwnedDescriptor? { try? OwnedDescriptor.open("/dev/null", .read) }

  /// What whoever asks for a handoff understands; who asks for something else gets no answer that it knows.
  func turnAway(_ socket: Owned<UnixSocket>, _ error: any Error) {
    log.warning("a client was turned away: \(error)")
    var reason = Reason(of: error)
    if let limit = (error as? SystemError)?.raisable, let remedy = reason.remedy {
      let here = "`prlimit --pid \(Self.pid) --\(limit)=4096`"
      reason = Reason(reason.what, remedy: "\(remedy), here \(here)", code: reason.code)
    }
    try? socket.value.send(Message.refused(reason).encoded)
  }
}
