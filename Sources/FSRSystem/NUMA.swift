internal import CNuma

/// The host's memory nodes, as libnuma sees them.
public enum NUMA {
  /// Whether the kernel knows of memory nodes and lets this process place memory on them.
  public static var isAvailable: Bool { numa_available() >= 0 }

  /// Nodes with memory that are there; 1 where the kernel knows of none.
  public static var nodeCount: Int { isAvailable ? max(1, Int(numa_num_configured_nodes())) : 1 }

  /// Bytes of memory on `node`, as the kernel or else the host as a whole says; 0 if there is no such node.
  public static func capacity(ofNode node: Int) -> UInt64 {
    if let bytes = memory(ofNode: node) { return bytes }
    return node == 0 ? Host.memory : 0
  }

  /// Bytes of memory on `node`; nil if there is no such node.
  public static func memory(ofNode node: Int) -> UInt64? {
    guard isAvailable, node >= 0, node <= Int(numa_max_node()) else { return nil }
    let bytes = numa_node_size64(Int32(node), nil)
    return bytes < 0 ? nil : UInt64(bytes)
  }
}
