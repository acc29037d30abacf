import FSRSystem
import FSRTestSupport
import Testing

@Suite struct CompressorTests {
  @Test func whatIsCompressedExpandsToTheSame() throws {
    var compressor = Compressor()
    let region = try MappedRegion(anonymous: 16384)
    var random = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      let distinct = UInt8.random(in: 1...20, using: &random)
      let bytes = (0..<4096).map { _ in UInt8.random(in: 0..<distinct, using: &random) & 3 }
      region.copy(bytes, to: 0)
      guard let length = compressor.compress(region, at: 0, count: 4096, to: region, at: 4096, room: 2048)
      else { continue }
      let isDone = compressor.expand(region, at: 4096, length: length, to: region, at: 8192, count: 4096)
      #expect(isDone)
      let back = region.bytes(at: 8192, count: 4096)
      #expect(back == bytes)
    }
  }

  @Test func whatDoesNotShrinkIsRefused() throws {
    var compressor = Compressor()
    let region = try MappedRegion(anonymous: 8192)
    var random = SeededGenerator(seed: 2)
    region.copy((0..<4096).map { _ in UInt8.random(in: .min ... .max, using: &random) }, to: 0)
    let length = compressor.compress(region, at: 0, count: 4096, to: region, at: 4096, room: 2048)
    #expect(length == nil)
  }

  @Test func brokenBytesExpandToNothingAndNeverBeyondTheTarget() throws {
    var compressor = Compressor()
    let region = try MappedRegion(anonymous: 20480)
    var random = SeededGenerator(seed: 3)
    region.copy((0..<4096).map { UInt8(truncatingIfNeeded: $0 / 64) }, to: 0)
    let length = compressor.compress(region, at: 0, count: 4096, to: region, at: 4096, room: 2048)
    let packed = try #require(length)
    let good = region.bytes(at: 4096, count: packed)
    for _ in 0..<20000 {
      let bytes = random.mutate(good)
      guard !bytes.isEmpty else { continue }
      region.copy(bytes, to: 4096)
      _ = compressor.expand(region, at: 4096, length: bytes.count, to: region, at: 8192, count: 4096)
    }
    let guardPage = region.isZero(12288, count: 8192)
    #expect(guardPage)
    for length in [0, -1, 4097] {
      let isDone = compressor.expand(region, at: 4096, length: length, to: region, at: 8192, count: 4096)
      #expect(!isDone)
    }
  }

  /// A stream without a flaw, of a page that is not whole: what is missing would be what was there before.
  @Test func aGoodStreamOfFewerBytesIsRefused() throws {
    var compressor = Compressor()
    let region = try MappedRegion(anonymous: 16384)
    region.copy((0..<4096).map { UInt8(truncatingIfNeeded: $0 / 64) }, to: 0)
    for count in [1, 100, 2048, 4095] {
      let length = compressor.compress(region, at: 0, count: count, to: region, at: 4096, room: 4096)
      let packed = try #require(length)
      let isWhole = compressor.expand(region, at: 4096, length: packed, to: region, at: 8192, count: 4096)
      #expect(!isWhole, "\(count) bytes")
      let isDone = compressor.expand(region, at: 4096, length: packed, to: region, at: 8192, count: count)
      #expect(isDone)
    }
  }

  @Test func aSingleByteMakesAPageNotZero() throws {
    let region = try MappedRegion(anonymous: 8192)
    for place in [UInt64(0), 1, 17, 2048, 4095] {
      region.store(UInt8(1), at: place)
      let isZero = region.isZero(0, count: 4096)
      #expect(!isZero)
      region.store(UInt8(0), at: place)
    }
    region.store(UInt8(1), at: 4096)
    let isZero = region.isZero(0, count: 4096)
    #expect(isZero)
  }
}
