import FSRSystem
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
}
