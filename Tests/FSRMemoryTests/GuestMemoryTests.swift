import FSRMemory
import FSRSystem
import Testing

@Suite struct GuestMemoryTests {
  @Test func newMemoryIsZeroAndSealedInSize() throws {
    let memory = try GuestMemory(size: 1 << 20)
    #expect(memory.region.load((1 << 20) - 8, as: UInt64.self) == 0)
    let sealed = Memfd.isSizeSealed(memory.descriptor)
    #expect(sealed)
  }
}
