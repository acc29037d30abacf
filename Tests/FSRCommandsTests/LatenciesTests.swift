import FSRCommands
import Testing

@Suite struct LatenciesTests {
  @Test func percentilesAreInMicroseconds() {
    var latencies = Latencies()
    for microseconds in 1...100 { latencies.add(UInt64(microseconds) * 1000) }
    #expect(latencies.count == 100)
    #expect(latencies.percentile(50) == 50 && latencies.percentile(99) == 99 && latencies.maximum == 100)
  }

  @Test func ofNoneThereIsNoPercentile() {
    let latencies = Latencies()
    #expect(latencies.percentile(50) == nil && latencies.maximum == nil)
  }

  @Test func aVeryLongTimeCountsAsADay() {
    var latencies = Latencies()
    latencies.add(.max)
    #expect(latencies.count == 1 && latencies.maximum == 86_400_000_000)
  }
}
