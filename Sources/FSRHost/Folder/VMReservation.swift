internal import FSRHandoff
package import FSRMemory
package import FSRState
package import FSRSystem

/// One VM's record in the ledger of its runtime folder.
package struct VMReservation: ~Copyable {
  private let vm: String
  private let runtime: Directory
  private let ledger: Ledger

  /// - Throws: `SystemError` where the folder that the VM's lies in is gone.
  package init(of folder: borrowing VMFolder) throws(SystemError) {
    let parent = try folder.directory.parent()
    let book = Ledger(in: try parent.duplicate())
    vm = folder.name
    runtime = parent
    ledger = book
  }

  /// What the ledger says of the VM; nil where it has none.
  package func record() throws(LedgerError) -> LedgerRecord? { try ledger.read().record(of: vm) }

  /// Takes the ledger's lock for a moment, and reads it.
  ///
  /// - Throws: `LedgerError` `busy`, `damaged`, `system`.
  package func probe() throws(LedgerError) {
    try ledger.change { (_: inout LedgerBook) throws(LedgerError) in }
  }

  /// Takes `bytes` for a new VM of this process, whose starter holds the VM's lock.
  ///
  /// - Parameter nodes: where they lie; the first of the host where that is nobody's choice.
  /// - Throws: `LedgerError` `beyondCapacity` and whatever else there is.
  package func reserve(_ bytes: UInt64, on nodes: NodeSet?, machine: MachineIdentity) throws(LedgerError) {
    let record = LedgerRecord(
      vm: vm, machine: machine, bytes: bytes, nodes: nodes ?? Self.anyNode, owner: .current())
    try ledger.change { (book: inout LedgerBook) throws(LedgerError) in
      book.reclaim(isAlive: Abandonment.mayLive) { old in
        // A VM that had this name is no more: its lock is held for this one.
        old.vm == vm || Abandonment.isAbandoned(old, in: runtime)
      }
      try book.admit(record, memory: NUMA.capacity(ofNode:))
    }
  }

  /// Writes `heir` beside this process. A record that somebody has removed with the file is made anew: the memory is
  /// held.
  package func name(heir: ProcessIdentity, machine: MachineIdentity, bytes: UInt64, on nodes: NodeSet?)
    throws(LedgerError)
  {
    try ledger.change { (book: inout LedgerBook) throws(LedgerError) in
      try restore(&book, machine, bytes, nodes)
      // Whatever the record says: the one that runs the guest holds the memory.
      try book.settle(vm, machine: machine, on: .current())
      try book.name(heir: heir, of: vm, machine: machine, by: .current())
    }
  }

  /// Writes this process as the only owner.
  package func settle(machine: MachineIdentity, bytes: UInt64, on nodes: NodeSet?) throws(LedgerError) {
    try ledger.change { (book: inout LedgerBook) throws(LedgerError) in
      try restore(&book, machine, bytes, nodes)
      try book.settle(vm, machine: machine, on: .current())
    }
  }

  private func restore(
    _ book: inout LedgerBook, _ machine: MachineIdentity, _ bytes: UInt64, _ nodes: NodeSet?
  ) throws(LedgerError) {
    guard book.record(of: vm) == nil else {
      if let nodes { try book.count(vm, machine: machine, on: nodes) }
      return
    }
    guard bytes > 0 else { return }
    // Not a question of capacity: the bytes are locked already.
    let record = LedgerRecord(
      vm: vm, machine: machine, bytes: bytes, nodes: nodes ?? Self.anyNode, owner: .current())
    try book.admit(record, memory: .max)
  }

  private static let anyNode = NodeSet(0)

  package func remove(machine: MachineIdentity) throws(LedgerError) {
    try ledger.change { $0.remove(vm, machine: machine) }
  }
}

/// When a record is nobody's any more. Where it cannot be told, somebody may still come to run the VM.
package enum Abandonment {
  /// False only where the process is proven to be gone.
  package static func mayLive(_ identity: ProcessIdentity) -> Bool {
    do throws(SystemError) {
      guard let process = try ProcessDescriptor.open(identity) else { return false }
      return try !process.hasExited()
    } catch { return true }
  }

  /// Whether anybody has the VM of `record`, or may have.
  package static func isHeld(_ record: LedgerRecord, in runtime: borrowing Directory) -> Bool {
    do throws(SystemError) {
      if record.owner.bootID != (try ProcessIdentity.establish().bootID) {
        return try isHeldElsewhere(record, in: runtime)
      }
      guard try runtime.exists(record.vm) else { return false }
      let folder = VMFolder(name: record.vm, directory: try Directory.open(record.vm, in: runtime))
      return folder.look() != .gone
    } catch { return true }
  }

  /// Of a record of another boot by its id: whether a process holds the folder of that very machine. A VM that has the name
  /// by now is another one.
  private static func isHeldElsewhere(_ record: LedgerRecord, in runtime: borrowing Directory)
    throws(SystemError)
    -> Bool
  {
    guard try runtime.exists(record.vm) else { return false }
    let folder = VMFolder(name: record.vm, directory: try Directory.open(record.vm, in: runtime))
    return try VMPresence.isHeld(folder) && folder.machine == record.machine
  }

  /// Of a record whose owner and heir are dead: whether nobody coordinates the VM, and no process of any of its
  /// handoffs lives. A successor is in no record until it runs.
  package static func isAbandoned(_ record: LedgerRecord, in runtime: borrowing Directory) -> Bool {
    do {
      // Nothing outlives the host's boot; but a container may show a boot id of its own.
      if record.owner.bootID != (try BootID.current()) { return try !isHeldElsewhere(record, in: runtime) }
      guard try runtime.exists(record.vm) else { return true }
      let folder = VMFolder(name: record.vm, directory: try Directory.open(record.vm, in: runtime))
      // What it holds proves that it lives where its number means nothing here.
      guard case .gone = folder.look() else { return false }
      // What has the VM's name by now and is not fsr's is none of it.
      guard try folder.standing() == .ours else { return true }
      guard case .taken(let lock) = try VMLock.attempt(in: folder.directory) else { return false }
      defer { _ = lock }
      guard let blocks = try folder.blocks() else {
        return try !folder.directory.exists(VMFolderNames.blocks)
      }
      for attempt in try blocks.attempts() {
        guard let block = try blocks.open(attempt) else { continue }
        // Of those of another namespace nothing can be told here, and they hold nothing.
        for party in Party.allCases where block.namespace(of: party).isOwn {
          if block.identities(of: party).contains(where: mayLive) { return false }
        }
      }
      return true
    } catch { return false }
  }
}
