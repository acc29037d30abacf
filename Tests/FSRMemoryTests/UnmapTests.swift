import FSRMemory
import FSRSystem
import Testing

@Suite struct UnmapTests {
  @Test func pagesThatAreUnmappedKeepTheirContent() throws {
    let memory = try GuestMemory(size: 8 << 20)
    for page in 0..<UInt64(2048) { memory.store(page &* 0x0101_0101_0101, at: page * 4096) }
    let before = try memory.residentPages()
    try memory.unmapPages(0..<memory.size)
    let after = try memory.residentPages()
    #expect(before == after)
    let isKept = (0..<UInt64(2048)).allSatisfy {
      memory.load($0 * 4096, as: UInt64.self) == $0 &* 0x0101_0101_0101
    }
    #expect(isKept)
  }
}
