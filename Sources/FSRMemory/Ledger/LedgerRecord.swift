public import FSRState
public import FSRSystem

/// One VM's promise of resident memory: there is one for each VM that has any, whatever process runs it.
public struct LedgerRecord: Equatable, Sendable {
  /// Bytes of a VM's name.
  public static let nameLimit = 64

  /// The VM's name in its runtime folder.
  public let vm: String
  public let machine: MachineIdentity
  /// Bytes, above 0.
  public let bytes: UInt64
  /// How far apart the numbers of a record's nodes can be: as many as there are bits for them.
  public static let nodeReach = 64
  /// The NUMA nodes whose capacity they count against, in equal parts.
  public internal(set) var nodes: NodeSet
  /// Who holds the memory.
  public internal(set) var owner: ProcessIdentity
  /// Who may have it by the time that this is read: the destination of a handoff under way.
  public internal(set) var heir: ProcessIdentity?

  /// Of one node. Traps on a name or a number that `LedgerBook` could not write down.
  public init(
    vm: String, machine: MachineIdentity, bytes: UInt64, node: Int = 0, owner: ProcessIdentity,
    heir: ProcessIdentity? = nil
  ) {
    self.init(vm: vm, machine: machine, bytes: bytes, nodes: NodeSet(node), owner: owner, heir: heir)
  }

  /// Of several nodes. Traps on a name or numbers that `LedgerBook` could not write down.
  public init(
    vm: String, machine: MachineIdentity, bytes: UInt64, nodes: NodeSet, owner: ProcessIdentity,
    heir: ProcessIdentity? = nil
  ) {
    precondition(!vm.isEmpty && vm.utf8.count <= Self.nameLimit, "a VM's name fits a record")
    precondition(bytes > 0 && nodes.last <= LedgerBook.nodeLimit, "a record is of some bytes of a node")
    precondition(nodes.last - nodes.first < Self.nodeReach, "a record's nodes are near to each other")
    self.vm = vm
    self.machine = machine
    self.bytes = bytes
    self.nodes = nodes
    self.owner = owner
    self.heir = heir
  }

  /// The bytes that count against `node`: whole pages, as many as on every other node; what is left over goes to the
  /// first ones, so that the sum over all nodes is `bytes`.
  public func share(on node: Int) -> UInt64 {
    guard let index = nodes.nodes.firstIndex(of: node) else { return 0 }
    let count = UInt64(nodes.count)
    let pages = bytes / GuestMemory.pageSize
    let share = (pages / count + (UInt64(index) < pages % count ? 1 : 0)) * GuestMemory.pageSize
    return share + (index == 0 ? bytes % GuestMemory.pageSize : 0)
  }

  /// Whether `process` is one of the two that the record names.
  public func names(_ process: ProcessIdentity) -> Bool { owner == process || heir == process }
}
