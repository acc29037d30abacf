package import FSRMemory
public import FSRSystem

/// On which of the host's memory nodes a guest's RAM goes, as the kernel says.
public struct MemoryPlacement: Equatable, Sendable {
  public let nodes: NodeSet
  /// The kernel's word for how: `bind`, `interleave`.
  public let policy: String

  public init(nodes: NodeSet, policy: String) {
    self.nodes = nodes
    self.policy = policy
  }

  /// Nil where the kernel has no policy for it.
  package init?(of memory: GuestMemory) {
    guard let policy = try? memory.region.placement(), let nodes = policy.nodes else { return nil }
    self.init(nodes: nodes, policy: policy.word)
  }
}
