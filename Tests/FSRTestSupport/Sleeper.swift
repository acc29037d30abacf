public import FSRSystem

/// A process that does nothing but have a descriptor, until it is ended.
public final class Sleeper: Sendable {
  /// What the kernel calls it.
  public static let command = "sleep"
  public let pid: Int32
  private let process: Owned<ProcessDescriptor>

  /// - Parameter isPlain: whether it has no right beyond its user's, so that any process of that user may look into it.
  public init(having descriptor: borrowing OwnedDescriptor, isPlain: Bool = false) throws(SystemError) {
    let bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    let child = try ChildProcess.spawn(
      executable: isPlain ? "/usr/bin/setpriv" : "/bin/sleep",
      arguments: (isPlain ? bare : []) + ["sleep", "1000"], environment: ["PATH=/usr/bin:/bin"],
      inheriting: [.init(descriptor.number, as: 5)])
    pid = child.pid
    process = Owned(child.process)
  }

  /// Returns when nothing of it is left.
  public func end() {
    _ = try? process.value.signal(SignalNumber.kill)
    _ = try? process.value.waitForExit(timeout: nil)
    _ = try? process.value.reap()
  }

  deinit { end() }
}
