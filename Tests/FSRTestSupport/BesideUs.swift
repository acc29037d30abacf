internal import FSRSystem

/// A process of the package's own (`Tests/Bystander`) that has done one thing, and stays until it is ended.
public final class BesideUs: Sendable {
  public let pid: Int32
  private let process: Owned<ProcessDescriptor>
  /// It ends with whoever holds this.
  private let input: Owned<OwnedDescriptor>

  /// Returns when it has done what `words` say; throws where it ends before.
  public init(_ words: String...) throws {
    let output = try PipeEnds()
    let input = try PipeEnds()
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(of: "Bystander"), arguments: ["Bystander"] + words, environment: [],
      inheriting: [.init(input.reading.number, as: 0), .init(output.writing.number, as: 1)])
    pid = child.pid
    process = Owned(child.process)
    self.input = Owned(input.writing)
    guard try output.onlyReading().read(limit: 1) == Array("1".utf8) else { throw Absent() }
  }

  deinit {
    _ = try? process.value.signal(SignalNumber.kill)
    _ = try? process.value.waitForExit(timeout: nil)
    _ = try? process.value.reap()
  }
}
