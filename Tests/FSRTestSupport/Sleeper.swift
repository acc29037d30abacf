public import FSRSystem

/// A process that does nothing until it is ended: it has a descriptor, or is named where another one should be.
public final class Sleeper: Sendable {
  /// What the kernel calls it.
  public static let command = "sleep"
  public let identity: ProcessIdentity
  private let process: Owned<ProcessDescriptor>

  /// - Parameter isPlain: whether it has no right beyond its user's, so that any process of that user may look into it.
  public init(having descriptor: borrowing OwnedDescriptor, isPlain: Bool = false) throws {
    let bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    // Nobody who reads the output of the tests waits for one that is left behind.
    let nowhere = try OwnedDescriptor.open("/dev/null", .append)
    let child = try ChildProcess.spawn(
      executable: isPlain ? "/usr/bin/setpriv" : "/bin/sleep",
      arguments: (isPlain ? bare : []) + ["sleep", "1000"], environment: ["PATH=/usr/bin:/bin"],
      inheriting: [
        .init(descriptor.number, as: 5), .init(nowhere.number, as: 1), .init(nowhere.number, as: 2),
      ])
    let pid = child.pid
    process = Owned(child.process)
    guard let found = try ProcessIdentity.of(pid: pid) else { throw Absent() }
    identity = found
  }

  public convenience init() throws { try self.init(having: try OwnedDescriptor.open("/dev/null", .read)) }

  public var pid: Int32 { identity.pid }

  public var isAlive: Bool { (try? process.value.hasExited()) == false }

  /// Returns when nothing of it is left.
  public func end() {
    _ = try? process.value.signal(SignalNumber.kill)
    _ = try? process.value.waitForExit(timeout: nil)
    _ = try? process.value.reap()
  }

  deinit { end() }
}
