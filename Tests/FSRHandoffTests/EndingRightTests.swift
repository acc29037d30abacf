import FSRHandoff
import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// Who is killed of those that a VM's files name.
@Suite struct EndingRightTests {
  @Test func whoWorksForTheFolderOwnerMayBeEnded() throws {
    let place = try TemporaryDirectory()
    let sleeper = try Sleeper()
    guard let process = try ProcessDescriptor.open(sleeper.identity) else { throw Absent() }
    let may = EndingRight.mayEnd(process, sleeper.identity, forOwnerOf: place.directory.descriptor)
    #expect(may)
    try EndingRight.check(process, sleeper.identity, in: place.directory, of: "vm")
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives folders away"))
  func othersAreLeftAloneAndNamed() throws {
    let place = try TemporaryDirectory()
    fchown(place.directory.number, 12345, 12345)
    let sleeper = try Sleeper()
    guard let process = try ProcessDescriptor.open(sleeper.identity) else { throw Absent() }
    do {
      try EndingRight.check(process, sleeper.identity, in: place.directory, of: "vm")
      Issue.record("root's process may be ended for another user")
    } catch { #expect("\(error)".contains("process \(sleeper.pid),")) }
    sleeper.end()
    // Who is gone is in nobody's way.
    try EndingRight.check(process, sleeper.identity, in: place.directory, of: "vm")
  }

  /// A lock that names somebody else's process, with an old heartbeat, as a hung coordinator's does.
  @Test(.enabled(if: geteuid() == 0, "only root gives folders away"))
  func aRecoveryKillsNobodyElsesProcess() throws {
    let fixture = try BlockFixture()
    _ = try fixture.makeBlock(1)
    let place = try TemporaryDirectory()
    let sleeper = try Sleeper()
    let lock = try place.directory.openFile("lock", .readWriteCreating)
    let isTaken = try lock.tryLock()
    #expect(isTaken)
    let identity = sleeper.identity
    let words = [
      UInt64(UInt32(bitPattern: identity.pid)), identity.startTime, identity.bootID.high,
      identity.bootID.low, 1,
    ]
    try lock.write(
      words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }, at: 0)
    fchown(place.directory.number, 12345, 12345)
    var session = CoordinatorSession(
      .recovery, name: "vm", folder: try place.directory.duplicate(), blocks: try fixture.blocks.duplicate())
    let end = session.run()
    #expect(
      end == .refused && session.reason?.what.contains("process \(sleeper.pid),") == true,
      "\(String(describing: session.reason))")
    #expect(sleeper.isAlive)
    fchown(place.directory.number, 0, 0)
    _ = consume lock
  }
}
