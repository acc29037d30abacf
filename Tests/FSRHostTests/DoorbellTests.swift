import FSRHost
import FSRSystem
import Testing

@Suite struct DoorbellTests {
  /// Longer than anything here takes: only the bell can end a sleep in time.
  private static let timeout: UInt64 = 120_000_000_000

  private let bell: Doorbell
  private let region: Owned<MappedRegion>

  init() throws {
    region = Owned(try MappedRegion(anonymous: 4096))
    bell = Doorbell(region: region, offset: 64)
  }

  /// Sleeps while `meanwhile` happens between the look and the sleep; answers whether that ended it.
  private func wakes(_ meanwhile: () -> Void) -> Bool {
    let begin = MonotonicClock.now()
    bell.sleep(timeout: Self.timeout) {
      meanwhile()
      return false
    }
    return MonotonicClock.now() - begin < Self.timeout
  }

  @Test func aRingBetweenTheLookAndTheSleepEndsIt() {
    for _ in 0..<3 { #expect(wakes { bell.ring() }) }
  }

  @Test func anotherSleeperDoesNotHideTheRing() {
    #expect(
      wakes {
        bell.ring()
        bell.sleep(timeout: 1) { false }
      })
  }

  @Test func whoHasNewsDoesNotSleep() {
    let begin = MonotonicClock.now()
    bell.sleep(timeout: Self.timeout) { true }
    #expect(MonotonicClock.now() - begin < Self.timeout)
  }

  @Test func withoutASleeperARingLeavesTheWordAlone() {
    bell.ring()
    #expect(region.value.load(64, as: UInt32.self) == 0)
  }

  /// As builds left it that knew no count of rings.
  @Test(arguments: [UInt32(1), 2, .max, .max - 1]) func anyWordWillDo(word: UInt32) {
    region.value.store(word, at: 64)
    #expect(wakes { bell.ring() })
  }
}
