import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport

/// A process in a coordinator's place, that does nothing but hold what a coordinator holds: the guest's descriptors and the
/// VM's lock.
final class StandIn: Sendable {
  let identity: ProcessIdentity
  /// Under which it has the descriptors.
  let numbers: [Int32]
  private let process: Owned<ProcessDescriptor>

  /// - Parameter heartbeat: what the lock says of when it last lived.
  init(in fixture: borrowing BlockFixture, heartbeat: UInt64) throws {
    let file = try fixture.temporary.directory.openFile("lock", .readWriteCreating)
    guard try file.tryLock() else { throw Absent() }
    let bag = try HeldDescriptorsTests.bag(.none, in: fixture.temporary.directory)
    let first: Int32 = 20
    let targets = (0..<Int32(bag.count)).map { first + $0 }
    let child = try ChildProcess.spawn(
      executable: "/bin/sleep", arguments: ["sleep", "1000"], environment: [],
      inheriting: [.init(file.number, as: 10)]
        + zip(bag.numbers, targets).map { .init($0, as: $1) })
    numbers = targets
    let pid = child.pid
    process = Owned(child.process)
    guard let found = try ProcessIdentity.of(pid: pid) else { throw Absent() }
    identity = found
    try Self.write(found, heartbeat, to: file)
  }

  /// pid, start time, boot id, heartbeat, and of which PID namespace the pid is: as the lock's record is documented.
  private static func write(
    _ identity: ProcessIdentity, _ heartbeat: UInt64, to file: borrowing OwnedDescriptor
  ) throws {
    let words = [
      UInt64(UInt32(bitPattern: identity.pid)), identity.startTime, identity.bootID.high, identity.bootID.low,
      heartbeat, identity.startTime, PIDNamespace.own.number,
    ]
    try file.write(
      words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }, at: 0)
  }

  var isAlive: Bool { (try? process.value.hasExited()) == false }

  deinit {
    _ = try? process.value.signal(SignalNumber.kill)
    _ = try? process.value.waitForExit(timeout: nil)
    _ = try? process.value.reap()
  }
}
