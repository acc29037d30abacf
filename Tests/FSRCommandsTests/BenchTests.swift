import FSRCommands
import FSRSystem
import FSRTestSupport
import Testing

@Suite(.serialized) struct BenchTests {
  @Test func everyCaseIsMeasuredAgainstTheFloor() throws {
    let result = try BuiltCommand.run([
      "bench", "--handoffs", "3", "--vcpus", "1,2", "--memory", "4M,1G-sparse", "--json",
    ])
    let answer = try JSONValue(parsing: result.output)
    let cases = try #require(answer["cases"]?.elements)
    #expect(result.code == 0 && cases.count == 4, "\(result)")
    for one in cases {
      #expect(one["handoffs"]?.number == 3 && one["failed"]?.number == 0)
      #expect(
        one["floor_us"]?.keys == ["p50", "p99", "max"] && one["downtime_us"]?.keys == ["p50", "p99", "max"])
      let brownout = try #require(one["brownout"])
      #expect(
        brownout.keys == [
          "samples", "steady_mips", "one_ms.p50", "one_ms.worst", "ten_ms.p50", "ten_ms.worst",
          "hundred_ms.p50", "hundred_ms.worst",
        ])
      // On a busy machine a guest may have hardly run in the moments that a sample is taken of.
      let samples = try #require(brownout["samples"]?.number)
      #expect((0...3).contains(samples))
      #expect((brownout["hundred_ms"]?["worst"]?.number != nil) == (samples > 0))
      #expect(one["ratio_to_floor"]?.number != nil && one["ratio_to_first"]?.number != nil)
    }
  }

  @Test func whatTheMemoryCannotHoldIsSkippedAloud() throws {
    let result = try BuiltCommand.run([
      "bench", "--handoffs", "1", "--vcpus", "1", "--memory", "60T", "--json",
    ])
    let one = try JSONValue(parsing: result.output)["cases"]?.elements.first
    #expect(
      result.code == 0 && result.errors.contains("skipped") && one?["skipped"]?.text != nil, "\(result)")
  }

  @Test func memoriesAreReadAsAList() throws {
    let list = "64M,1T-sparse,64M-paged,1T-sparse:1G,1T-sparse:1G-paged"
    #expect(try BenchMemory.list(parsing: list).map(\.description).joined(separator: ",") == list)
    #expect(throws: ValueError.self) { try BenchMemory.list(parsing: "64M, 1T") }
  }
}
