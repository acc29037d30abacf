package import FSRHost
package import FSRSystem

/// Where on the host a guest lies: its memory, its vCPUs' processors, and what its VMM keeps of it.
package struct GuestPlacement: Sendable {
  /// Nil for wherever the kernel likes.
  let nodes: NodeSet?
  /// Those that the vCPU threads may run on, ascending: of the nodes, where there are some, and allowed to this process.
  let processors: [Int]

  /// - Throws: `VMError` `refused` where a node is not there or not this process's, or has only processors that are not.
  package init(_ nodes: NodeSet?) throws(VMError) {
    self.nodes = nodes
    if let nodes, let refusal = Self.refusal(of: nodes) { throw VMError(.refused, refusal) }
    do throws(SystemError) {
      let allowed = try Scheduling.affinity(of: 0)
      let own = try nodes.map { (nodes) throws(SystemError) in try NUMA.cpus(of: nodes) }
      // Nodes of memory alone, as on an expansion card: every processor is as far from it.
      processors = own.flatMap { $0.isEmpty ? nil : $0.intersection(allowed).cpus } ?? allowed.cpus
    } catch { throw VMError(error) }
    guard !processors.isEmpty else {
      let names = nodes.map(\.description) ?? ""
      throw VMError(
        .refused,
        "the VMM is not allowed any processor of memory node \(names)",
        remedy: "allow it some, as with taskset, or name another node with --numa")
    }
  }

  /// Why memory cannot be put on `nodes`; nil where it can.
  private static func refusal(of nodes: NodeSet) -> Reason? {
    guard NUMA.isAvailable else {
      return Reason("this kernel knows no memory nodes", remedy: "leave --numa out")
    }
    let usable = NUMA.usableNodes()
    guard let missing = nodes.nodes.first(where: { !usable.contains($0) }) else { return nil }
    let rest = NodeSet(usable).map { "those that are to be had here: \($0)" } ?? "none is to be had here"
    return Reason(
      "memory node \(missing) is not there, has no memory, or is not allowed to the VMM", remedy: rest)
  }

  /// Puts what the calling thread allocates near the guest, and what threads do that it starts from now on.
  func settleThread() throws(SystemError) {
    guard let nodes else { return }
    do throws(SystemError) { try MemoryPolicy.preferred(nodes).applyToThread() } catch {
      // Kernels before 5.15 prefer one node only.
      if nodes.count == 1 { throw error }
      try MemoryPolicy.local.applyToThread()
    }
  }

  /// Lets the calling thread, a vCPU's, run where it is near its memory.
  func bindThread() {
    // Allowed a moment ago: where that has changed since, the kernel's choice is as good.
    if nodes != nil { try? Scheduling.setAffinity(CPUSet(processors), of: 0) }
  }
}
