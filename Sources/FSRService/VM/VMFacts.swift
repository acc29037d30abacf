public import FSRSystem

/// What a VM is for whoever asks, whichever VMM it has; it does not change while the VM lives.
public struct VMFacts: Equatable, Sendable {
  /// Of the VM, as its folder is called.
  public var name: String
  /// Which kind of VMM it has, in a word: `reference`.
  public var kind: String
  /// Bytes of RAM, from its start, that the host promises to keep resident.
  public var reserve: UInt64
  /// The host's memory nodes on which RAM lies; nil for wherever the kernel likes.
  public var nodes: NodeSet?
  /// How many vCPUs there are: a second VMM takes memory for each.
  public var vcpus: Int
  /// Whether RAM consists of huge pages, whose page tables take next to nothing.
  public var hasHugePages: Bool

  public init(
    name: String, kind: String, vcpus: Int, reserve: UInt64 = 0, nodes: NodeSet? = nil,
    hasHugePages: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.vcpus = vcpus
    self.reserve = reserve
    self.nodes = nodes
    self.hasHugePages = hasHugePages
  }
}
