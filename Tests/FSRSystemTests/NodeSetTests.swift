import FSRSystem
import Testing

@Suite struct NodeSetTests {
  @Test(arguments: [
    ("0", [0], "0"), ("0-1", [0, 1], "0-1"), ("1,3", [1, 3], "1,3"), ("3,1-2,2,8", [1, 2, 3, 8], "1-3,8"),
    ("1023", [1023], "1023"), ("007", [7], "7"),
  ])
  func numbersAndRangesAreRead(text: String, nodes: [Int], said: String) throws {
    let set = try #require(NodeSet(parsing: text))
    #expect(set.nodes == nodes && set.description == said && NodeSet(parsing: said) == set)
    #expect(set.first == nodes.first && set.last == nodes.last && set.count == nodes.count)
  }

  @Test(arguments: [
    "", ",", "0,", "-", "-1", "1-", "2-1", "x", "0 1", "+0", "!0", "all", "1024", "0-1024", "0--1", "0-1-2",
    "٣",
    "99999999999999999999", String(repeating: "0", count: NodeSet.textLimit + 1),
  ])
  func anythingElseIsNoSet(text: String) {
    #expect(NodeSet(parsing: text) == nil)
  }

  @Test func numbersOutOfRangeAreNoSet() {
    #expect(NodeSet([Int]()) == nil && NodeSet([-1]) == nil && NodeSet([0, 1024]) == nil)
  }
}

@Suite(.enabled(if: NUMA.usableNodes().contains(0))) struct MemoryPolicyTests {
  @Test(arguments: [MemoryPolicy.bind(NodeSet(0)), .interleave(NodeSet(0)), .preferred(NodeSet(0)), .local])
  func aThreadHasThePolicyThatItWasGivenAndSoHaveThoseItStarts(policy: MemoryPolicy) throws {
    let thread = try OSThread.start(name: "placed") {
      do {
        try policy.applyToThread()
        #expect(try MemoryPolicy.ofThread() == policy)
        let inner = try OSThread.start(name: "inner") { #expect((try? MemoryPolicy.ofThread()) == policy) }
        inner.join()
      } catch { Issue.record("\(error)") }
    }
    thread.join()
    #expect(try MemoryPolicy.ofThread() == .standard)
  }

  @Test func sharedMemoryHasOnePolicyForAllMappings() throws {
    let memfd = try Memfd.create(name: "placed", size: 8192)
    let one = try MappedRegion(mapping: memfd, length: 8192)
    #expect(try one.placement() == .standard)
    try one.place(.interleave(NodeSet(0)))
    let two = try MappedRegion(mapping: memfd, length: 8192)
    #expect(try two.placement() == .interleave(NodeSet(0)))
  }

  @Test func aNodeThatIsNotThereIsTheKernelsRefusal() throws {
    let region = try MappedRegion(anonymous: 4096)
    #expect(throws: SystemError.self) { try region.place(.bind(NodeSet(1023))) }
  }

  @Test func confinedMeansBoundToOneAndInTurnOnSeveral() throws {
    let two = try #require(NodeSet([0, 3]))
    #expect(MemoryPolicy.confined(to: NodeSet(3)).description == "bind:3")
    #expect(MemoryPolicy.confined(to: two).description == "interleave:0,3")
  }

  @Test func everyCPUOfTheHostIsOfSomeNode() throws {
    let nodes = try #require(NodeSet(NUMA.usableNodes()))
    let cpus = try NUMA.cpus(of: nodes)
    let allowed = try Scheduling.affinity(of: 0)
    #expect(!cpus.isEmpty && cpus.intersection(allowed).cpus.allSatisfy(cpus.contains))
  }
}
