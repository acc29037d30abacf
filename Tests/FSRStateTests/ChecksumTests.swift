import FSRState
import FSRTestSupport
import Testing

@Suite struct ChecksumTests {
  static let sample: [UInt8] = {
    var chance = SeededGenerator(seed: 5)
    return (0..<203).map { _ in UInt8.random(in: .min ... .max, using: &chance) }
  }()

  @Test func theSameBytesHaveTheSameSum() {
    #expect(Checksum.of(Self.sample) == Checksum.of(Self.sample))
    #expect(Checksum.of([]) == Checksum.of([]))
  }

  @Test func everyBitCounts() {
    var seen: Set<UInt64> = [Checksum.of(Self.sample)]
    for bit in 0..<Self.sample.count * 8 {
      var other = Self.sample
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(seen.insert(Checksum.of(other)).inserted)
    }
  }

  @Test func everyLengthCounts() {
    let sums = (0...Self.sample.count).map { Checksum.of(Array(Self.sample[..<$0])) }
    #expect(Set(sums).count == sums.count)
    let zeros = (0...64).map { Checksum.of([UInt8](repeating: 0, count: $0)) }
    #expect(Set(zeros).count == zeros.count)
  }

  @Test func theOrderOfWordsCounts() {
    let first: [UInt8] = Array(1...8)
    let second: [UInt8] = Array(9...16)
    #expect(Checksum.of(first + second) != Checksum.of(second + first))
  }

  /// Both sides of a handoff may be of different builds: the sum is part of the format.
  @Test func theSumIsOfTheFormat() {
    #expect(Checksum.of([]) == 0xef1e_695b_a746_bd72)
    #expect(Checksum.of(Array(0..<20)) == 0xd7f1_065b_6633_aaf2)
  }
}
