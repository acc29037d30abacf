import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct OwnedDescriptorFileTests {
  @Test func bytesComeBackAsWritten() throws {
    let place = try TemporaryDirectory()
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let file = try place.directory.openFile("f", .createNew)
    try file.write(bytes)
    let size = try file.size()
    let all = try file.readAll(limit: bytes.count)
    #expect(size == 200_000 && all == bytes)
    #expect(throws: SystemError.self) { _ = try file.readAll(limit: bytes.count - 1) }
    try file.write([1, 2, 3], at: 199_999)
    let tail = try file.read(at: 199_998, count: 100)
    #expect(tail == [bytes[199_998], 1, 2, 3])
  }

  @Test func appendingWritesAtTheEndWhoeverElseWrites() throws {
    let place = try TemporaryDirectory()
    let one = try place.directory.openFile("log", .append)
    let two = try place.directory.openFile("log", .append)
    try one.write([1])
    try two.write([2])
    try one.write([3])
    let bytes = try place.directory.openFile("log", .read).readAll(limit: 10)
    #expect(bytes == [1, 2, 3])
  }

  @Test func creatingNewRefusesWhatIsThereAndTheModeIsPrivate() throws {
    let place = try TemporaryDirectory()
    _ = try place.directory.openFile("f", .createNew)
    do {
      _ = try place.directory.openFile("f", .createNew)
      Issue.record("made twice")
    } catch {
      #expect(error.errno == EEXIST)
    }
    let mode = try place.directory.ownership(of: "f").mode
    #expect(mode == 0o600)
  }

  @Test func aFileGrowsByTruncatingAndAllocating() throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("f", .readWriteCreating)
    try file.truncate(to: 4096)
    try file.allocate(at: 4096, length: 4096)
    let size = try file.size()
    #expect(size == 8192)
    #expect(throws: SystemError.self) { try file.truncate(to: .max) }
    #expect(throws: SystemError.self) { try file.allocate(at: .max, length: .max) }
    #expect(throws: SystemError.self) { try file.write([1], at: .max) }
    #expect(throws: SystemError.self) { _ = try file.read(at: .max, count: 1) }
  }

  @Test func filesOfProcAreReadToTheirEnd() throws {
    let bytes = try OwnedDescriptor.open("/proc/self/maps", .read).readAll(limit: 1 << 20)
    #expect(bytes.last == 10)
  }

  @Test func aLockBelongsToTheOpenFileAndOutlivesOneDuplicate() throws {
    let place = try TemporaryDirectory()
    let one = try place.directory.openFile("lock", .readWriteCreating)
    let two = try place.directory.openFile("lock", .readWrite)
    var same: OwnedDescriptor? = try one.duplicate()
    let taken = [try one.tryLock(), try two.tryLock(), try same!.tryLock()]
    #expect(taken == [true, false, true])
    same = nil
    let still = try two.tryLock()
    try one.unlock()
    let free = try two.tryLock()
    #expect(!still && free)
  }

  @Test func aLockEndsWithItsLastDescriptor() throws {
    let place = try TemporaryDirectory()
    var one: OwnedDescriptor? = try place.directory.openFile("lock", .readWriteCreating)
    let two = try place.directory.openFile("lock", .readWrite)
    let first = try one!.tryLock()
    one = nil
    let second = try two.tryLock()
    #expect(first && second)
  }
}
