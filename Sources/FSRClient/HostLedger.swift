internal import FSRHandoff
public import FSRHost
internal import FSRMemory
internal import FSRState
internal import FSRSystem

/// The ledger of a runtime folder, for people: what is reserved of how much, and by whom.
public struct HostLedger: Equatable, Sendable {
  public struct Record: Equatable, Sendable {
    public let vm: String
    public let bytes: UInt64
    /// The memory nodes that they count against, in equal parts.
    public let nodes: [Int]
    public let owner: Int32
    /// The destination of a handoff under way.
    public let heir: Int32?
    /// Whether owner or heir lives.
    public let isAlive: Bool
  }

  /// What one of the host's memory nodes has to give.
  public struct Node: Equatable, Sendable {
    public let number: Int
    /// Bytes that may be reserved.
    public let capacity: UInt64
    public let reserved: UInt64
  }

  /// Bytes that may be reserved on all nodes.
  public let capacity: UInt64
  public let reserved: UInt64
  /// By number; those of the host, and whatever else has records.
  public let nodes: [Node]
  /// In the order of their names.
  public let records: [Record]

  /// Of a runtime folder that is not there yet.
  public static var empty: HostLedger { HostLedger(LedgerBook()) { _ in false } }

  private init(_ book: LedgerBook, of runtime: borrowing Directory) {
    var held: Set<String> = []
    for record in book.records where Abandonment.isHeld(record, in: runtime) { held.insert(record.vm) }
    self.init(book) { held.contains($0.vm) }
  }

  /// - Parameter isHeld: asked of records whose processes are not seen to live.
  private init(_ book: LedgerBook, isHeld: (LedgerRecord) -> Bool) {
    let numbers = Set([0] + NUMA.usableNodes() + book.records.flatMap(\.nodes.nodes)).sorted()
    nodes = numbers.map {
      Node(number: $0, capacity: book.capacity ?? NUMA.capacity(ofNode: $0), reserved: book.reserved(on: $0))
    }
    capacity = Self.sum(nodes.map(\.capacity))
    reserved = Self.sum(nodes.map(\.reserved))
    records = book.records.sorted { $0.vm < $1.vm }.map { record in
      let isAlive =
        Abandonment.mayLive(record.owner) || record.heir.map(Abandonment.mayLive) == true
        || isHeld(record)
      return Record(
        vm: record.vm, bytes: record.bytes, nodes: record.nodes.nodes, owner: record.owner.pid,
        heir: record.heir?.pid, isAlive: isAlive)
    }
  }

  /// `UInt64.max` where it is more than a number holds.
  private static func sum(_ numbers: [UInt64]) -> UInt64 {
    numbers.reduce(0) { sum, number in
      let (next, overflow) = sum.addingReportingOverflow(number)
      return overflow ? .max : next
    }
  }

  /// What it says, once the records of VMs that are no more are out of it.
  ///
  /// - Parameter capacity: sets the capacity, in bytes.
  /// - Throws: `VMError` `refused` where the file is damaged, or more is reserved than `capacity`.
  public static func look(in runtime: borrowing RuntimeDirectory, capacity: UInt64? = nil) throws(VMError)
    -> HostLedger
  {
    do {
      let ledger = Ledger(in: try runtime.directory.duplicate())
      let hasDead = HostLedger(try ledger.read(), of: runtime.directory).records.contains { !$0.isAlive }
      if capacity != nil || hasDead {
        try ledger.change { (book: inout LedgerBook) throws(LedgerError) in
          book.reclaim(isAlive: Abandonment.mayLive) { Abandonment.isAbandoned($0, in: runtime.directory) }
          if let capacity { try book.setCapacity(capacity) }
        }
      }
      return HostLedger(try ledger.read(), of: runtime.directory)
    } catch let error as LedgerError { throw VMError(.refused, "\(error)") } catch { throw VMError(error) }
  }

  // MARK: making it anew

  /// Replaces the ledger by what the VMs that run say of themselves.
  ///
  /// - Returns: the new one, and whether a capacity that may have been set could not be read any more.
  /// - Throws: `VMError` `refused` where a VM is being handed over, or does not answer: nothing is changed then.
  public static func rebuild(in runtime: borrowing RuntimeDirectory) throws(VMError) -> (
    ledger: HostLedger, isCapacityLost: Bool
  ) {
    var records: [LedgerRecord] = []
    // Held to the end: nobody starts a VM or hands one over meanwhile.
    var locks: [Owned<VMLock>] = []
    for name in try runtime.names() where !name.hasPrefix(".") {
      let folder: VMFolder
      do throws(VMError) { folder = try runtime.vm(name) } catch {
        if error.kind == .noSuchVM { continue }
        throw error
      }
      guard let lock = try lock(folder) else {
        throw VMError(.refused, "somebody is at work on \(name); try again when that is over")
      }
      locks.append(lock)
      if let record = try record(of: folder) { records.append(record) }
    }
    defer { _ = locks }
    do {
      let ledger = Ledger(in: try runtime.directory.duplicate())
      let isKept = try ledger.rebuild(records)
      return (HostLedger(try ledger.read(), of: runtime.directory), !isKept)
    } catch let error as LedgerError { throw VMError(.refused, "\(error)") } catch { throw VMError(error) }
  }

  private static func lock(_ folder: borrowing VMFolder) throws(VMError) -> Owned<VMLock>? {
    do throws(HandoffError) {
      switch try VMLock.attempt(in: folder.directory) {
      case .taken(let lock): return Owned(lock)
      case .held: return nil
      }
    } catch { throw VMError(error) }
  }

  /// What a VM says of itself; nil where it has no reservation, or nobody runs it or can.
  private static func record(of folder: borrowing VMFolder) throws(VMError) -> LedgerRecord? {
    if try folder.readEnded() != nil { return nil }
    let sign = folder.look()
    if case .unknown(let why) = sign {
      throw VMError(.refused, why.causing("it cannot be told whether \(folder.name) has a reservation"))
    }
    guard let block = try VMClient.newestBlock(of: folder) else {
      if sign == .gone { return nil }
      let absence = VMClient.absence(of: folder)
      // It was stopped while it was looked at.
      if absence.kind == .noSuchVM || absence.kind == .lost { return nil }
      throw absence
    }
    if sign == .lives, let blindness = block.blindness { throw VMClient.hidden(folder, blindness) }
    guard block.state.isDecided else {
      let isSomebodyLeft = Party.allCases.contains {
        block.identities(of: $0).contains(where: Abandonment.mayLive)
      }
      if !isSomebodyLeft { return nil }
      throw VMError(
        .refused, "a handoff of \(folder.name) is not settled; run `fsr recover \(folder.name)` first")
    }
    guard let owner = block.owner, Abandonment.mayLive(owner) else { return nil }
    guard let answer = try? VMClient.ask(.status, folder), let report = try? VMReport(decoding: answer) else {
      throw VMError(.refused, "\(folder.name) (process \(owner.pid)) does not answer; wait, or stop it")
    }
    guard report.facts.reservedBytes > 0 else { return nil }
    return LedgerRecord(
      vm: folder.name, machine: block.machine, bytes: report.facts.reservedBytes,
      nodes: report.facets.placement.map(\.nodes).flatMap { VMConfiguration.isInReach($0) ? $0 : nil }
        ?? NodeSet(0),
      owner: owner)
  }
}
