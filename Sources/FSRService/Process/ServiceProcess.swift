internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem
internal import Glibc

/// The processes that serve a VM, whichever VMM it is: one that starts it, and one that is to take it over.
public enum ServiceProcess {
  /// Whatever path it was started by.
  private static let name = "fsr"

  /// Becomes a process of a VM if this one was started as one, and never returns then. Called first of all, while there is
  /// one thread.
  ///
  /// Whatever else it is to be: from here on a file that would be too long is an error like any other.
  ///
  /// - Parameter kind: what a VM of this program is.
  public static func runIfAsked(_ kind: any ManagedVM.Type) {
    try? SignalAction.ignoreFileLimit()
    if let text = Environment.take(DestinationStart.variable) {
      ProcessName.set(name)
      exit(kind, with: Result { try runDestination(kind, limits(orUsual: kind.log("vmm")), socket(text)) })
    }
    if let text = Environment.take(VMStart.variable) {
      ProcessName.set(name)
      exit(kind, with: Result { try runNew(kind, .ofEnvironment(), socket(text)) })
    }
  }

  /// Of the running program.
  package static func build() throws -> String { try BuildIdentity.ofExecutable(path: "/proc/self/exe") }

  /// Ends the process at once: memory and descriptors go with it, and nothing else is its own any more.
  static func leave() -> Never { _exit(0) }

  /// The same for a process whose guest is elsewhere.
  ///
  /// A service manager that could not make the next process the service's main one, as when that has died meanwhile, would
  /// take this end, were it a good one, for the guest's. A signal has it start the service again.
  static func leaveToSuccessor() -> Never {
    if ServiceManager.isThere { ProcessDescriptor.signalSelf(SignalNumber.kill) }
    leave()
  }

  /// What the environment says of them. A guest that may have nobody else is not refused for it: where that cannot be read,
  /// as when it is of another build's making, the usual ones hold, and `log` says so.
  private static func limits(orUsual log: ServiceLog) -> HandoffLimits {
    do throws(VMError) { return try .ofEnvironment() } catch {
      log.warning("\(error); the usual ones hold")
      return HandoffLimits()
    }
  }

  private static func socket(_ text: String) throws -> UnixSocket {
    guard let number = Int32(text), number > 2, number < 1 << 20 else {
      throw VMError(.usage, "\(DestinationStart.variable) names no descriptor")
    }
    // Inherited for this: a copy that is close-on-exec takes its place.
    let inherited = OwnedDescriptor(adopting: number)
    return UnixSocket(adopting: try inherited.duplicate())
  }

  /// - Parameter result: how the guest ended itself; nil where it went elsewhere, or the VM was stopped.
  private static func exit(_ kind: any ManagedVM.Type, with result: Result<GuestEnd?, any Error>) -> Never {
    switch result {
    case .success(let end): _exit(end?.exitStatus ?? 0)
    case .failure(let error):
      kind.log("vmm").error("\(error)")
      _exit(1)
    }
  }

  /// Lives on when whoever started it goes: a reader, a terminal, a session, the folder that it was in. Every path that
  /// it is given is absolute.
  static func leaveSurroundings() throws {
    try SignalAction.ignoreSideMatters()
    // One that it may not leave is no reason not to run.
    try? Host.leaveWorkingDirectory()
  }

  static func endingSignals() throws -> SignalDescriptor {
    try SignalDescriptor(signals: [SignalNumber.terminate, SignalNumber.interrupt])
  }
}
