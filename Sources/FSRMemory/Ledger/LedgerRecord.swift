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
  /// The NUMA node whose capacity they count against.
  public let node: Int
  /// Who holds the memory.
  public internal(set) var owner: ProcessIdentity
  /// Who may have it by the time that this is read: the destination of a handoff under way.
  public internal(set) var heir: ProcessIdentity?

  /// Traps on a name or a number that `LedgerBook` could not write down.
  public init(
    vm: String, machine: MachineIdentity, bytes: UInt64, node: Int = 0, owner: ProcessIdentity,
    heir: ProcessIdentity? = nil
  ) {
    precondition(!vm.isEmpty && vm.utf8.count <= Self.nameLimit, "a VM's name fits a record")
    precondition(
      bytes > 0 && node >= 0 && node <= LedgerBook.nodeLimit, "a record is of some bytes of a node")
    self.vm = vm
    self.machine = machine
    self.bytes = bytes
    self.node = node
    self.owner = owner
    self.heir = heir
  }

  /// Whether `process` is one of the two that the record names.
  public func names(_ process: ProcessIdentity) -> Bool { owner == process || heir == process }
}
