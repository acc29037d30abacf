import FSRSystem
import Testing

@Suite struct TimeSpanTests {
  @Test(
    arguments: [
      ("10us", 10_000), ("50ms", 50_000_000), ("30s", 30_000_000_000), ("2m", 120_000_000_000),
      ("1440m", TimeSpan.limit),
    ] as [(String, UInt64)])
  func timesAreReadWithTheirUnit(text: String, nanoseconds: UInt64) throws {
    #expect(try TimeSpan(parsing: text).nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    "", "0ms", "50", "ms", "-1s", "+1s", "1.5s", "1 s", "1S", "1h", "1441m", "99999999999999999999s",
    "18446744073709551615m",
  ])
  func whatIsNoTimeIsRefused(text: String) {
    #expect(throws: ValueError.self) { try TimeSpan(parsing: text) }
  }

  @Test(arguments: ["10us", "50ms", "1500ms", "30s", "2m"]) func aTimeIsWrittenAsItIsRead(text: String) throws
  {
    #expect(try TimeSpan(parsing: text).description == text)
  }
}
