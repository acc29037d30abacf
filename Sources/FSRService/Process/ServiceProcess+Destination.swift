internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem

/// A process that is to take a guest over.
extension ServiceProcess {
  static func runDestination(
    _ kind: any ManagedVM.Type, _ limits: HandoffLimits, _ socket: consuming UnixSocket
  ) throws -> GuestEnd? {
    // Before it takes any memory: whoever has the guest is to keep it.
    var score = RaisedOOMScore(hasBallast: true)
    try leaveSurroundings()
    // As a successor it was started by a coordinator, which is one that makes way.
    if try Scheduling.policy(of: 0) == .batch { try Scheduling.setNormal(of: 0) }
    var signals: SignalDescriptor?
    let service = try takeOver(socket, limits) {
      // While there is room for a look: who this process is stands in all that it writes down.
      try ProcessIdentity.establish()
      // Before any thread is started.
      signals = try endingSignals()
      return try ServedDestination(kind, score: score.take())
    }
    guard let service, let signals = signals.take() else { return nil }
    return try service.run(signals: signals)
  }

  /// The service of the guest that came here; nil where it went elsewhere. What only the handoff needed is closed
  /// when this returns.
  ///
  /// - Parameter prepare: makes all that is needed for it.
  private static func takeOver(
    _ socket: consuming UnixSocket, _ limits: HandoffLimits, _ prepare: () throws -> ServedDestination
  ) throws -> VMService? {
    var ownLimits = limits
    // A source waits until its service manager has heard of this process; killed before, it takes the service with it.
    if ServiceManager.isThere { ownLimits.reap = max(limits.reap, ServiceManager.timeout) }
    let session = try DestinationSession(socket: socket, limits: ownLimits, guest: prepare)
    let destination = session.guest
    destination.note(session.block)
    if let path = try? Executable.path() { session.block.noteExecutable(path, of: .destination) }
    switch session.run() {
    case .left:
      // Into the VM's log, where the source's side of it stands too.
      if let failure = session.failure { throw VMError(.other, "the guest did not come here: \(failure)") }
      return nil
    case .kept:
      guard let arrival = destination.prepared, let event = destination.takeEvent() else {
        preconditionFailure("who keeps a guest has prepared one")
      }
      let service = VMService(
        arrival.vm, arrival.context, on: arrival.listener, block: session.block, build: destination.build,
        limits: limits, event: event)
      tellOfArrival(service, by: session.block, from: session.sourceBuild)
      return service
    }
  }

  /// Clients are answered meanwhile.
  private static func tellOfArrival(_ service: VMService, by block: ControlBlock, from build: String?) {
    let told = try? OSThread.start(name: "history", detached: true) {
      try? Scheduling.setBatch(of: 0)
      service.handoffWon(block, fromBuild: build)
    }
    if told == nil { service.handoffWon(block, fromBuild: build) }
  }
}
