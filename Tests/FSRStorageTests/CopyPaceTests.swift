import FSRStorage
import Testing

/// The copy's pace, by a clock that the test sets.
@Suite struct CopyPaceTests {
  private static let second: UInt64 = 1_000_000_000
  private static let chunk: UInt64 = 64 << 20

  /// Copies for `time` nanoseconds, each part taking `cost(bytes)` of them; answers the bytes.
  private static func copied(_ pace: inout CopyPace, for time: UInt64, cost: (UInt64) -> UInt64) -> UInt64 {
    let start = 5 * second
    var (now, bytes) = (start, UInt64(0))
    while true {
      now += pace.pause(at: now)
      let part = pace.part(upTo: chunk)
      now += cost(part)
      if now >= start + time { return bytes }
      pace.copied(part, at: now)
      bytes += part
    }
  }

  @Test func withoutALimitPartsAreWholeAndNothingWaits() {
    var pace = CopyPace(bytesPerSecond: nil)
    #expect(pace.part(upTo: Self.chunk) == Self.chunk)
    pace.copied(.max, at: 3)
    #expect(pace.pause(at: 3) == 0)
  }

  @Test(arguments: [CopyPace.slowest, 1 << 20, 100 << 20, 3 << 30] as [UInt64])
  func aSecondHasNoMoreBytesThanAllowedAndHardlyFewer(rate: UInt64) {
    // A disk that takes no time, one that is twice as fast as allowed, and one that is just as fast.
    for share in [0, 2, 1] as [UInt64] {
      var pace = CopyPace(bytesPerSecond: rate)
      let bytes = Self.copied(&pace, for: 20 * Self.second) { bytes in
        share == 0 ? 0 : bytes * (Self.second / 1000) / (rate / 1000 * share)
      }
      let part = pace.part(upTo: Self.chunk)
      #expect(bytes <= 20 * rate + 2 * part, "\(share)")
      #expect(bytes >= 20 * rate * 95 / 100, "\(share)")
    }
  }

  @Test func aDiskThatIsSlowerIsNotWaitedFor() {
    var pace = CopyPace(bytesPerSecond: 1 << 20)
    let part = pace.part(upTo: Self.chunk)
    let bytes = Self.copied(&pace, for: 20 * Self.second) { _ in Self.second }
    #expect(bytes >= 19 * part)
  }

  @Test func whatWasNotCopiedInAPauseIsNotMadeUpFor() {
    var pace = CopyPace(bytesPerSecond: 1 << 20)
    let part = pace.part(upTo: Self.chunk)
    pace.copied(part, at: Self.second)
    let deadline = 1000 * Self.second
    #expect(pace.pause(at: deadline) == 0)
    let bytes = (0..<100).reduce(UInt64(0)) { bytes, _ in
      guard pace.pause(at: deadline) == 0 else { return bytes }
      pace.copied(part, at: deadline)
      return bytes + part
    }
    #expect(bytes <= 2 * part)
  }

  @Test func partsAreShortAndAtLeastAPage() {
    for rate in [0, 1, CopyPace.slowest, 1 << 20, 1 << 30, .max] as [UInt64] {
      let pace = CopyPace(bytesPerSecond: rate)
      let part = pace.part(upTo: Self.chunk)
      #expect(part >= 4096 && part <= Self.chunk)
      // A twentieth of a second, or a page.
      #expect(part == 4096 || part <= max(rate, CopyPace.slowest) / 20)
      #expect(pace.part(upTo: 4096) == 4096)
    }
  }

  @Test func aRateThatIsTooLowIsTheSlowest() {
    #expect(CopyPace(bytesPerSecond: 1).bytesPerSecond == CopyPace.slowest)
  }

  @Test func noNumberMakesItForgetToWait() {
    var pace = CopyPace(bytesPerSecond: CopyPace.slowest)
    pace.copied(.max, at: Self.second)
    #expect(pace.pause(at: Self.second) > Self.second)
    pace.copied(.max, at: .max - 1)
    #expect(pace.pause(at: Self.second) > Self.second)
  }
}
