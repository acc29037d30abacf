import FSRReference
import Testing

@Suite struct EventRateTests {
  @Test func itIsWhatCameSinceTheLastLook() {
    let rate = EventRate(since: 1_000_000_000)
    #expect(rate.measure(500, at: 1_500_000_000) == 1000)
    #expect(rate.measure(500, at: 2_500_000_000) == 0)
    #expect(rate.measure(530, at: 2_600_000_000) == 300)
  }

  @Test func aLookThatComesTooSoonIsAnsweredAsTheOneBefore() {
    let rate = EventRate(since: 0)
    #expect(rate.measure(7, at: EventRate.least - 1) == 0)
    #expect(rate.measure(100, at: 1_000_000_000) == 100)
    #expect(rate.measure(900, at: 1_000_000_000 + EventRate.least - 1) == 100)
    // What came in between counts for the next one.
    #expect(rate.measure(1100, at: 3_000_000_000) == 500)
  }

  @Test func looksThatOvertakeEachOtherDoNoHarm() {
    let rate = EventRate(since: 0)
    #expect(rate.measure(200, at: 2_000_000_000) == 100)
    #expect(rate.measure(150, at: 1_500_000_000) == 100)
    #expect(rate.measure(190, at: 4_000_000_000) == 100)
    #expect(rate.measure(400, at: 4_000_000_000) == 100)
  }
}
