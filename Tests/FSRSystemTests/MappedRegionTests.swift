import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct MappedRegionTests {
  @Test func twoMappingsOfOneMemfdShowTheSameBytes() throws {
    let memfd = try Memfd.create(name: "test", size: 8192)
    let one = try MappedRegion(mapping: memfd, length: 8192)
    let two = try MappedRegion(mapping: memfd, length: 8192)
    one.store(UInt32(0xdead_beef), at: 4097)
    let word = two.load(4097, as: UInt32.self)
    #expect(word == 0xdead_beef)
    one.copy([1, 2, 3], to: 8189)
    let bytes = two.bytes(at: 8189, count: 3)
    #expect(bytes == [1, 2, 3])
  }

  @Test func anAccessPastTheEndTraps() async {
    await #expect(processExitsWith: .failure) {
      let region = try MappedRegion(anonymous: 4096)
      _ = region.load(4093, as: UInt32.self)
    }
  }

  @Test func containsDoesNotOverflow() throws {
    let region = try MappedRegion(anonymous: 4096)
    let answers = [
      region.contains(4088, count: 8), region.contains(4089, count: 8), region.contains(.max, count: 8),
      region.contains(8, count: .max),
    ]
    #expect(answers == [true, false, false, false])
  }

  @Test func compareExchangeAnswersWhatWasThere() throws {
    let region = try MappedRegion(anonymous: 4096)
    region.atomicStore(UInt64(7), at: 8)
    let first = region.atomicCompareExchange(8, expected: UInt64(7), desired: 9)
    let second = region.atomicCompareExchange(8, expected: UInt64(7), desired: 11)
    #expect(first.exchanged && first.original == 7)
    #expect(!second.exchanged && second.original == 9)
  }

  // MARK: a file that is cut short

  @Test func whatWasCutOffAFileIsZerosOfItsOwn() throws {
    let place = try TemporaryDirectory()
    let file = try Self.file(in: place)
    let region = try MappedRegion(mapping: file, length: 8192, populate: true, mayShrink: true)
    region.store(UInt64(7), at: 8)
    region.store(UInt64(8), at: 4096)
    try region.lock()
    try file.truncate(to: 4096)
    let kept = region.atomicLoad(8, as: UInt64.self)
    let lost = region.atomicLoad(4096, as: UInt64.self)
    #expect(kept == 7 && lost == 0)
    region.store(UInt64(9), at: 4096)
    let exchange = region.atomicCompareExchange(8192 - 8, expected: UInt64(0), desired: 5)
    #expect(exchange.exchanged)
    try file.truncate(to: 0)
    let first = region.load(8, as: UInt64.self)
    let own = region.load(4096, as: UInt64.self)
    #expect(first == 0 && own == 9)
    // A sleep on it ends.
    region.wait(at: 16, while: 0, timeout: 1_000_000)
    try file.truncate(to: 8192)
    let bytes = try file.read(at: 4096, count: 8)
    #expect(bytes == [UInt8](repeating: 0, count: 8))
  }

  @Test func threadsThatMeetAtACutFileAllGoOn() throws {
    let place = try TemporaryDirectory()
    for _ in 0..<50 {
      let file = try Self.file(in: place)
      let region = Owned(try MappedRegion(mapping: file, length: 8192, populate: true, mayShrink: true))
      try file.truncate(to: 0)
      let readers: [@Sendable () -> UInt64] = (0..<4).map { reader in
        { region.value.load(UInt64(reader) * 2048, as: UInt64.self) }
      }
      let found = try race(readers)
      #expect(found == [0, 0, 0, 0])
    }
  }

  @Test func aCutFileEndsWhoseMappingIsNotMadeForIt() async throws {
    // Here, since who ends so removes nothing.
    let place = try TemporaryDirectory()
    _ = try Self.file(in: place)
    await #expect(processExitsWith: .failure) { [path = place.path as String] in
      let file = try Directory.open(path).openFile("file", .readWriteCreating)
      let other = try MappedRegion(mapping: file, length: 8192, mayShrink: true)
      let region = try MappedRegion(mapping: file, length: 8192)
      try file.truncate(to: 0)
      // Looked at, or nothing would be read.
      if other.load(0, as: UInt64.self) != 0 { exit(0) }
      precondition(region.load(0, as: UInt64.self) != 1)
    }
  }

  @Test func moreThanCanBeGuardedAreMappedAllTheSame() async {
    await #expect(processExitsWith: .success) {
      let memfd = try Memfd.create(name: "test", size: 4096)
      var regions: [Owned<MappedRegion>] = []
      for _ in 0..<1200 {
        regions.append(Owned(try MappedRegion(mapping: memfd, length: 4096, mayShrink: true)))
      }
      let sum = regions.reduce(0) { $0 + $1.value.load(0, as: UInt64.self) }
      #expect(sum == 0)
    }
  }

  private static func file(in place: borrowing TemporaryDirectory) throws -> OwnedDescriptor {
    try? place.directory.unlink("file")
    let file = try place.directory.openFile("file", .createNew)
    try file.allocate(at: 0, length: 8192)
    return file
  }
}
