internal import CNuma
internal import Glibc

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

extension NUMA {
  /// The nodes with memory that this process may put its own on.
  public static func usableNodes() -> [Int] {
    // SAFETY: libnuma allocates the mask, and it is freed once.
    guard isAvailable, let mask = unsafe numa_get_mems_allowed() else { return [] }
    defer { unsafe numa_bitmask_free(mask) }
    return (0...Int(max(0, numa_max_node()))).filter { node in
      // SAFETY: the mask lives.
      unsafe numa_bitmask_isbitset(mask, UInt32(node)) != 0 && (memory(ofNode: node) ?? 0) > 0
    }
  }

  /// The CPUs of `nodes`, whether this process may run on them or not; none where the nodes have only memory.
  public static func cpus(of nodes: NodeSet) throws(SystemError) -> CPUSet {
    // SAFETY: libnuma allocates the mask, and it is freed once.
    guard isAvailable, let mask = unsafe numa_allocate_cpumask() else { return CPUSet() }
    defer { unsafe numa_bitmask_free(mask) }
    var cpus = CPUSet()
    for node in nodes.nodes {
      // SAFETY: the mask lives, and is as long as libnuma wants it.
      guard unsafe numa_node_to_cpus(Int32(node), mask) == 0 else {
        throw SystemError("numa_node_to_cpus", on: "node \(node)", errno: errno)
      }
      for cpu in 0..<CPUSet.limit where unsafe numa_bitmask_isbitset(mask, UInt32(cpu)) != 0 {
        cpus.insert(cpu)
      }
    }
    return cpus
  }
}
