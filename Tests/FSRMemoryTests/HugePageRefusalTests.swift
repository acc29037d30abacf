import FSRMemory
import FSRSystem
import Testing

/// Pages of 2 MiB that are not to be had: by whose doing.
@Suite struct HugePageRefusalTests {
  private static func said(_ free: UInt64?) -> String {
    MemoryError.noHugePages(8, nil, SystemError("fallocate", errno: 28), free: free).description
  }

  @Test(arguments: [nil, 0, 7] as [UInt64?]) func aPoolThatIsTooSmallIsMadeLarger(free: UInt64?) {
    let text = Self.said(free)
    #expect(text.contains("; the host's administrator") && text.contains("vm.nr_hugepages"), "\(text)")
    #expect(!text.contains("control group"))
  }

  @Test(arguments: [8, 1000] as [UInt64]) func aPoolThatHasEnoughIsNotTheReason(free: UInt64) {
    let text = Self.said(free)
    #expect(text.contains("hugetlb.2MB.max") && !text.contains("vm.nr_hugepages"), "\(text)")
  }
}
