internal import FSRHandoff
internal import FSRSystem

/// Asks VMMs, and reads what the control blocks say where none answers.
public enum VMClient {
  /// How long a VMM may take to answer, in nanoseconds.
  private static let answerLimit: UInt64 = 700_000_000
  private static let stopLimit: UInt64 = 20_000_000_000

  /// The process that owns a VM.
  public struct Owner: Sendable {
    public let pid: Int32
    let process: Owned<ProcessDescriptor>

    public func waitForExit(timeout: UInt64) -> Bool {
      (try? process.value.waitForExit(timeout: timeout)) ?? true
    }
  }

  /// Who owns the VM; nil where nobody does: it is lost, undecided, or gone.
  public static func owner(of folder: borrowing VMFolder) throws(VMError) -> Owner? {
    guard let newest = try newestBlock(of: folder), let owner = newest.owner,
      let process = try? ProcessDescriptor.open(owner)
    else { return nil }
    return Owner(pid: owner.pid, process: Owned(process))
  }

  static func newestBlock(of folder: borrowing VMFolder) throws(VMError) -> ControlBlock? {
    guard let blocks = try folder.blocks() else { return nil }
    do throws(HandoffError) { return try blocks.newest() } catch { throw VMError(error) }
  }

  /// How the VM fares, within a second.
  ///
  /// - Throws: `VMError` `noSuchVM` where the guest has ended or was never started.
  public static func status(of folder: borrowing VMFolder) throws(VMError) -> VMStatus {
    if let end = folder.ended {
      throw VMError(
        .noSuchVM,
        "the guest of \(folder.name) has ended by itself (\(end.text)); `fsr stop \(folder.name)` clears its folder"
      )
    }
    guard let block = try newestBlock(of: folder) else {
      throw VMError(
        .noSuchVM,
        "\(folder.name) was never started, or the host has rebooted since; `fsr stop \(folder.name)` clears its folder"
      )
    }
    if block.owner.map({ isAlive($0) }) == true || (!block.state.isDecided && block.time(of: .stunned) == 0) {
      if let answer = try? ask(.status, folder), let status = try? VMStatus(decoding: answer) {
        return status
      }
    }
    return status(from: block, folder)
  }

  /// What the newest block knows, where nobody answers.
  private static func status(from block: ControlBlock, _ folder: borrowing VMFolder) -> VMStatus {
    let isSourceAlive = block.identity(of: .source).map { isAlive($0) } ?? false
    let isDestinationAlive = block.identity(of: .destination).map { isAlive($0) } ?? false
    var status = VMStatus(name: folder.name, state: .lost)
    status.generation = block.generation + (block.state == .destination ? 1 : 0)
    status.log = folder.path + "/" + VMFolder.logName
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

  private static func ask(_ request: ControlRequest, _ folder: borrowing VMFolder) throws -> [UInt8]? {
    let socket = try UnixSocket.connect(in: folder.directory, name: VMSocket.name, timeout: answerLimit)
    try socket.send(request.encoded)
    return try socket.receive(limit: UnixSocket.messageLimit, maximumDescriptors: 0, timeout: answerLimit)?
      .bytes
  }

  /// Ends the VM, whatever state it is in, and returns when nothing of it is left.
  ///
  /// - Throws: `VMError` where a process cannot be ended or a handoff does not come to an end.
  public static func stop(_ folder: borrowing VMFolder) throws(VMError) {
    let late = MonotonicClock.now() + stopLimit
    var isAsked = false
    while let owner = try owner(of: folder), MonotonicClock.now() < late {
      if !isAsked,
        let socket = try? UnixSocket.connect(in: folder.directory, name: VMSocket.name, timeout: answerLimit)
      {
        isAsked = (try? socket.send(ControlRequest.stop.encoded)) != nil
      }
      if owner.waitForExit(timeout: 50_000_000) { isAsked = false }
    }
    try endAll(of: folder)
    folder.remove()
  }

  /// Kills whoever is left of a VM that nobody owns, or whose owner does not answer. Under the VM's lock, so
  /// that no coordinator is about to save it.
  private static func endAll(of folder: borrowing VMFolder) throws(VMError) {
    guard let blocks = try? folder.blocks() else { return }
    for attempt in (try? blocks.attempts()) ?? [] {
      guard let block = try? blocks.open(attempt) else { continue }
      for party in [Party.coordinator, .source, .destination] {
        guard let identity = block.identity(of: party), identity != ProcessIdentity.current(),
          let process = try? ProcessDescriptor.open(identity)
        else { continue }
        _ = try? process.signal(SignalNumber.kill)
        guard (try? process.waitForExit(timeout: stopLimit)) == true else {
          throw VMError(
            .other, "process \(identity.pid) of \(folder.name) cannot be ended; look at it with ps")
        }
      }
    }
  }

  /// Makes way for a new VM of a name whose guest has ended.
  ///
  /// - Throws: `VMError` `refused` where the name is in use.
  static func clearEnded(_ folder: borrowing VMFolder) throws(VMError) {
    if folder.ended == nil, let block = try newestBlock(of: folder) {
      let isThere = block.owner.map { isAlive($0) } ?? true
      let state = isThere ? "in use" : "of a VM that is lost; `fsr stop \(folder.name)` clears it"
      throw VMError(.refused, "the name \(folder.name) is \(state)")
    }
    let lockName = "lock"
    folder.removeBlocks()
    for name in (try? folder.directory.names(limit: 4096)) ?? [] where name != lockName {
      try? folder.directory.unlink(name)
    }
  }
}
