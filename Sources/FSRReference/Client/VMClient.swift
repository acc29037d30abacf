internal import FSRHandoff
internal import FSRMemory
internal import FSRSystem

/// Asks VMMs, and reads what the control blocks say where none answers.
public enum VMClient {
  /// How long a VMM may take to answer, in nanoseconds.
  static let answerLimit: UInt64 = 700_000_000
  static let stopLimit: UInt64 = 20_000_000_000

  /// The process that owns a VM.
  public struct Owner: Sendable {
    public let pid: Int32
    let process: Owned<ProcessDescriptor>

    public func waitForExit(timeout: UInt64) -> Bool {
      guard (try? process.value.waitForExit(timeout: timeout)) ?? true else { return false }
      // Nothing of it is left where it was a child of this process.
      _ = try? process.value.reap()
      return true
    }
  }

  /// Who runs the VM.
  enum Ownership {
    case owner(Owner)
    /// A handoff is under way that somebody may still bring to an end.
    case undecided
    /// It is lost, ended, or gone.
    case nobody
  }

  static func ownership(of folder: borrowing VMFolder) throws(VMError) -> Ownership {
    while true {
      // All of it from one look at the word, which may move between two.
      guard let block = try newestBlock(of: folder) else { return .nobody }
      let state = block.state
      guard state.isDecided else {
        // The word may have moved while the parties were looked at.
        if status(from: block, folder).state != .lost || block.state != state { return .undecided }
        return .nobody
      }
      if let owner = block.owner, let process = try? ProcessDescriptor.open(owner) {
        return .owner(Owner(pid: owner.pid, process: Owned(process)))
      }
      // An owner that is gone may have handed the VM over meanwhile.
      let newest = try newestBlock(of: folder)
      if newest.map({ $0.attempt == block.attempt }) ?? true { return .nobody }
    }
  }

  /// The process that owns the VM; nil where nobody does: it is lost, undecided, or gone.
  public static func owner(of folder: borrowing VMFolder) throws(VMError) -> Owner? {
    if case .owner(let owner) = try ownership(of: folder) { return owner }
    return nil
  }

  static func newestBlock(of folder: borrowing VMFolder) throws(VMError) -> ControlBlock? {
    guard let blocks = try folder.blocks() else { return nil }
    do throws(HandoffError) { return try blocks.newest() } catch { throw VMError(error) }
  }

  /// How the VM fares, within a second.
  ///
  /// - Throws: `VMError` `noSuchVM` where the guest has ended or was never started.
  public static func status(of folder: borrowing VMFolder) throws(VMError) -> VMStatus {
    try folder.checkGuestIsThere()
    guard let block = try newestBlock(of: folder) else { throw absence(of: folder) }
    var refusal: VMError?
    if block.owner.map({ isAlive($0) }) == true || (!block.state.isDecided && block.time(of: .stunned) == 0) {
      if let answer = try? ask(.status, folder) {
        if let status = try? VMStatus(decoding: answer) { return withReservation(status, folder) }
        refusal = Self.refusal(answer, of: folder)
      }
    }
    var status = status(from: block, folder)
    // A guest that has ended meanwhile has written that down before its VMM left.
    if status.state == .lost { try folder.checkGuestIsThere() }
    if status.state == .running, let owner = block.owner,
      try newestBlock(of: folder)?.attempt == block.attempt
    {
      status.silence = refusal?.description ?? silence(of: folder.name, owner)
    }
    return withReservation(status, folder)
  }

  /// Why a VM has no control blocks.
  public static func absence(of folder: borrowing VMFolder) -> VMError {
    do throws(VMError) { try folder.checkGuestIsThere() } catch { return error }
    if folder.isRemoved { return VMError(.noSuchVM, "\(folder.name) was stopped") }
    return VMError(
      .noSuchVM,
      "\(folder.name) was never started, or the host has rebooted since; `fsr stop \(folder.name)` clears its folder"
    )
  }

  /// Adds what the ledger says, where it says something.
  private static func withReservation(_ status: VMStatus, _ folder: borrowing VMFolder) -> VMStatus {
    guard let record = try? VMReservation(of: folder).record() else { return status }
    var status = status
    status.reservedBytes = record.bytes
    status.reservationOwner = record.owner.pid
    return status
  }

  /// What the newest block knows, where nobody answers.
  private static func status(from block: ControlBlock, _ folder: borrowing VMFolder) -> VMStatus {
    let isSourceAlive = block.identity(of: .source).map { isAlive($0) } ?? false
    let isDestinationAlive = block.identity(of: .destination).map { isAlive($0) } ?? false
    var status = VMStatus(name: folder.name, state: .lost)
    status.generation = block.generation + (block.state == .destination ? 1 : 0)
    status.log = folder.path + "/" + VMFiles.log
    switch block.state {
    case .destination, .resumed:
      let owner = block.owner
      status.pid = owner?.pid ?? 0
      status.state =
        owner.map { isAlive($0) } == true ? (block.time(of: .entered) == 0 ? .stunned : .running) : .lost
    case .none where block.time(of: .stunned) == 0 && isSourceAlive:
      status.state = .handoff
      status.pid = block.identity(of: .source)?.pid ?? 0
    case .none, .destVerify, .source, .successor:
      let isComplete = block.isComplete || block.identity(of: .source) == nil
      let isHeld =
        isSourceAlive || isDestinationAlive || block.identity(of: .coordinator).map { isAlive($0) } == true
      // Before complete only the source has the vCPUs' state; after it, anybody who holds the memory can save it.
      status.state = isSourceAlive || (isComplete && isHeld) ? .stunned : .lost
      if block.generation == 0 && isDestinationAlive { status.state = .starting }
    }
    return status
  }

  static func isAlive(_ identity: ProcessIdentity) -> Bool {
    guard let process = try? ProcessDescriptor.open(identity) else { return false }
    return (try? process.hasExited()) == false
  }

  static func ask(_ request: ControlRequest, _ folder: borrowing VMFolder) throws -> [UInt8]? {
    let socket = try UnixSocket.connect(in: folder.directory, name: VMFiles.socket, timeout: answerLimit)
    try socket.send(request.encoded)
    return try socket.receive(limit: UnixSocket.messageLimit, maximumDescriptors: 0, timeout: answerLimit)?
      .bytes
  }

  /// Makes way for a new VM of a name whose guest has ended, or, where `orLost`, whose VM is lost.
  ///
  /// - Throws: `VMError` `refused` where the name is in use.
  static func clearEnded(_ folder: borrowing VMFolder, orLost: Bool = false) throws(VMError) {
    if folder.ended != nil {
      // It writes its end down before the last things that it does, and those go by the VM's name.
      if let owner = try owner(of: folder), !owner.waitForExit(timeout: stopLimit) {
        throw VMError(.refused, "the name \(folder.name) is in use: process \(owner.pid) is about to end")
      }
    } else if let block = try newestBlock(of: folder), !orLost || status(from: block, folder).state != .lost {
      let isThere = block.owner.map { isAlive($0) } ?? true
      let state =
        isThere
        ? "in use; use another, or end that VM with `fsr stop \(folder.name)`"
        : "of a VM that is lost; `fsr stop \(folder.name)` clears it"
      throw VMError(.refused, "the name \(folder.name) is \(state)")
    }
    forgetReservation(folder)
    let lockName = "lock"
    folder.removeSwap()
    folder.removeBlocks()
    for name in (try? folder.directory.names(limit: 4096)) ?? [] where name != lockName {
      try? folder.directory.unlink(name)
    }
  }
}
