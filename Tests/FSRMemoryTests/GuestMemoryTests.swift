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

  @Test func guestAccessesAtTheEndAreDoneOrRefusedAsAWhole() throws {
    let memory = try GuestMemory(size: 4096)
    #expect(memory.guestStore(UInt32(0x8182_8384), at: 4092))
    #expect(memory.guestLoad(4092, as: UInt32.self) == 0x8182_8384)
    #expect(memory.guestLoad(4093, as: UInt16.self) == 0x8283)
    for offset in [4093, 4096, .max] as [UInt64] {
      #expect(!memory.guestStore(UInt32(0), at: offset))
      #expect(memory.guestLoad(offset, as: UInt32.self) == nil)
    }
    #expect(memory.load(4092, as: UInt32.self) == 0x8182_8384)
  }

  @Test(.enabled(if: NUMA.usableNodes().contains(0)))
  func itsNodesAreKeptByWhoeverMapsItNext() throws {
    let memory = try GuestMemory(size: 1 << 20, on: NodeSet(0))
    #expect(try memory.region.placement() == .bind(NodeSet(0)))
    let next = try GuestMemory(adopting: try memory.descriptor.duplicate(), size: 1 << 20)
    #expect(try next.region.placement() == .bind(NodeSet(0)))
    // As a build does that does not know: it stays, and what differs is set.
    try memory.region.place(.standard)
    #expect(try next.region.placement() == .standard)
    try next.place(on: NodeSet(0))
    #expect(try memory.region.placement() == .bind(NodeSet(0)))
  }

  @Test func nodesThatAreNotThereAreRefusedByName() {
    #expect { try GuestMemory(size: 1 << 20, on: NodeSet(1023)) } throws: { "\($0)".contains("node 1023") }
  }

  @Test func misalignedGuestAccessesWork() throws {
    let memory = try GuestMemory(size: 4096)
    #expect(memory.guestStore(UInt64(0x0102_0304_0506_0708), at: 3))
    #expect(memory.guestLoad(3, as: UInt64.self) == 0x0102_0304_0506_0708)
    #expect(memory.bytes(at: 3, count: 2) == [8, 7])
  }
}
