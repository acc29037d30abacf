import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// The record of who holds a VM's lock, as it was written once.
@Suite struct LockFixtureTests {
  private static let identity = ProcessIdentity(
    pid: 4321, startTime: 500_000, bootID: BootID(high: 0xb007, low: 0x1d))
  private static let heartbeat: UInt64 = 77_000

  /// The record of a holder.
  private static func record(
    of holder: ProcessIdentity, heartbeat: UInt64, namespace: PIDNamespace?
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(Int64(holder.pid))
    writer.write(holder.startTime)
    writer.write(holder.bootID.high)
    writer.write(holder.bootID.low)
    writer.write(heartbeat)
    if let namespace {
      writer.write(holder.startTime)
      writer.write(namespace.number)
    }
    return writer.bytes
  }

  @Test func theRecordHasItsShapeForGood() throws {
    let namespace = PIDNamespace(number: 0xf000_0001)
    let new = Self.record(of: Self.identity, heartbeat: Self.heartbeat, namespace: namespace)
    #expect(try Fixture("lock.hex").difference(from: new) == nil)
    let old = Self.record(of: Self.identity, heartbeat: Self.heartbeat, namespace: nil)
    #expect(try Fixture("lock-without-namespace.hex").difference(from: old) == nil)
  }

  @Test func whoTakesTheLockWritesThatShape() throws {
    let place = try TemporaryDirectory()
    let before = MonotonicClock.now()
    let lock = Owned(try VMLockTests.taken(place.directory))
    let bytes = try place.directory.openFile("lock", .read).readAll(limit: 100)
    var reader = ByteReader(Array(bytes[32...]))
    let heartbeat: UInt64 = try reader.read()
    #expect(heartbeat >= before && heartbeat <= MonotonicClock.now())
    #expect(bytes == Self.record(of: .current(), heartbeat: heartbeat, namespace: .own))
    lock.value.beat(at: Self.heartbeat)
    let beaten = try place.directory.openFile("lock", .read).readAll(limit: 100)
    #expect(beaten == Self.record(of: .current(), heartbeat: Self.heartbeat, namespace: .own))
  }

  @Test(arguments: ["lock.hex", "lock-without-namespace.hex"])
  func aRecordIsReadForGood(name: String) throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("lock", .createNew)
    try file.write(try Fixture(name).bytes(), at: 0)
    // Open descriptions hold it, not processes.
    let isTaken = try file.tryLock()
    #expect(isTaken)
    guard case .held(by: let holder?) = try VMLock.look(in: place.directory) else {
      Issue.record("nobody is seen to hold it")
      return
    }
    #expect(holder.identity == Self.identity && holder.heartbeat == Self.heartbeat)
    #expect(holder.namespace.number == (name == "lock.hex" ? 0xf000_0001 : 0))
    try file.unlock()
  }
}
