internal import FSRHandoff
public import FSRHost
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
      guard (try? process.value.waitForExit(timeout: timeout)) == true else { return false }
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
    /// Somebody has it who cannot be seen from here, or whom no control block names.
    case hidden
    /// It is lost, ended, or gone.
    case nobody
  }

  static func ownership(of folder: borrowing VMFolder) throws(VMError) -> Ownership {
    while true {
      // All of it from one look at the word, which may move between two.
      let found: ControlBlock?
      do throws(VMError) { found = try newestBlock(of: folder) } catch {
        guard try isLost(folder, behind: error) else { throw error }
        return .nobody
      }
      guard let block = found else { return try hiddenOrNobody(folder) }
      let state = block.state
      if let blindness = block.blindness {
        if blindness.isOwnShortage { throw hidden(folder, blindness) }
        return try hiddenOrNobody(folder)
      }
      guard state.isDecided else {
        // The word may have moved while the parties were looked at.
        if try status(from: block, folder).state != .lost || block.state != state { return .undecided }
        return try nobodyOrUnnamed(folder)
      }
      do throws(SystemError) {
        if let owner = block.owner, let process = try ProcessDescriptor.open(owner) {
          return .owner(Owner(pid: owner.pid, process: Owned(process)))
        }
      } catch { throw VMError(error) }
      // An owner that is gone may have handed the VM over meanwhile.
      let newest = try newestBlock(of: folder)
      if newest.map({ $0.attempt == block.attempt }) ?? true { return try nobodyOrUnnamed(folder) }
    }
  }

  private static func nobodyOrUnnamed(_ folder: borrowing VMFolder) throws(VMError) -> Ownership {
    try isHeldByAnUnnamed(folder) ? .hidden : .nobody
  }

  private static func hiddenOrNobody(_ folder: borrowing VMFolder) throws(VMError) -> Ownership {
    let sign = folder.look()
    switch sign {
    case .lives: return .hidden
    case .gone: return .nobody
    case .unknown: throw hidden(folder, sign)
    }
  }

  /// The process that owns the VM; nil where nobody does, or none that is seen: it is lost, undecided, hidden, or gone.
  public static func owner(of folder: borrowing VMFolder) throws(VMError) -> Owner? {
    if case .owner(let owner) = try ownership(of: folder) { return owner }
    return nil
  }

  static func newestBlock(of folder: borrowing VMFolder) throws(VMError) -> ControlBlock? {
    guard let blocks = try folder.blocks() else { return nil }
    do throws(HandoffError) { return try blocks.newest() } catch {
      throw VMError(error, unusable: folder.name)
    }
  }

  /// How the VM fares, within a second.
  ///
  /// - Throws: `VMError` `noSuchVM` where the guest has ended, was stopped or was never started; `refused` where nobody
  ///   answers and it cannot be told from here whether anybody lives.
  public static func status(of folder: borrowing VMFolder) throws(VMError) -> VMStatus {
    while true {
      try folder.checkGuestIsThere()
      var (refusal, flaw): (VMError?, VMError?)
      var newest: ControlBlock?
      // Its files may be spoilt, and its VMM answer all the same.
      do throws(VMError) { newest = try newestBlock(of: folder) } catch { flaw = error }
      let block = newest
      // In a stun nobody answers. Else whoever answers lives, whatever can be seen of it.
      let isInStun = block.map { !$0.state.isDecided && $0.time(of: .stunned) != 0 } ?? false
      if !isInStun, let answer = try answer(to: .status, of: folder) {
        if var report = try? VMReport(decoding: answer) {
          // It is found by its folder's name, which may have changed since it was started.
          report.facts.name = folder.name
          return withReservation(VMStatus(report, isAnswered: true), folder)
        }
        refusal = Self.refusal(answer, of: folder)
      }
      guard let block else {
        if let flaw {
          guard try isLost(folder, behind: flaw) else { throw flaw }
        } else {
          let absence = absence(of: folder)
          guard absence.kind == .lost else { throw absence }
        }
        var report = VMReport(name: folder.name, state: .lost)
        report.facts.log = folder.path + "/" + VMFiles.log
        return withReservation(VMStatus(report, isAnswered: false), folder)
      }
      var status = try status(from: block, folder)
      if status.state == .lost {
        // A guest that has ended meanwhile has written that down before its VMM left.
        try folder.checkGuestIsThere()
        if folder.isRemoved { throw absence(of: folder) }
        // An owner that is gone may have handed the VM over meanwhile.
        if let newest = try newestBlock(of: folder), newest.attempt != block.attempt { continue }
        if try isHeldByAnUnnamed(folder) { throw refusal ?? unnamed(folder) }
      }
      if status.state == .running, let owner = block.owner,
        try newestBlock(of: folder)?.attempt == block.attempt
      {
        status.silence = refusal?.description ?? silence(of: folder, owner)
      }
      return withReservation(status, folder)
    }
  }

  /// Adds what the ledger says, where it says something.
  private static func withReservation(_ status: VMStatus, _ folder: borrowing VMFolder) -> VMStatus {
    guard let record = try? VMReservation(of: folder).record() else { return status }
    var status = status
    status.reservation = VMStatus.Reservation(bytes: record.bytes, owner: record.owner.pid)
    return status
  }

  /// What the newest block knows, where nobody answers.
  private static func status(from block: ControlBlock, _ folder: borrowing VMFolder) throws(VMError)
    -> VMStatus
  {
    let isSourceAlive = try isAlive(.source, of: block, folder)
    let isDestinationAlive = try isAlive(.destination, of: block, folder)
    var report = VMReport(name: folder.name, state: .lost)
    report.runner.generation = block.generation + (block.state == .destination ? 1 : 0)
    report.facts.log = folder.path + "/" + VMFiles.log
    switch block.state {
    case .destination, .resumed:
      report.runner.pid = block.owner?.pid ?? 0
      let isOwnerAlive = block.state == .resumed ? isSourceAlive : isDestinationAlive
      report.state = isOwnerAlive ? (block.time(of: .entered) == 0 ? .stunned : .running) : .lost
    case .none where block.time(of: .stunned) == 0 && isSourceAlive:
      report.state = .handoff
      report.runner.pid = block.identity(of: .source)?.pid ?? 0
    case .none, .destVerify, .source, .successor:
      let isComplete = block.isComplete || block.identity(of: .source) == nil
      var isHeld = isSourceAlive || isDestinationAlive
      if !isHeld { isHeld = try isAlive(.coordinator, of: block, folder) }
      // Before complete only the source has the vCPUs' state; after it, anybody who holds the memory can save it.
      report.state = isSourceAlive || (isComplete && isHeld) ? .stunned : .lost
      if block.generation == 0 && isDestinationAlive { report.state = .starting }
    }
    return VMStatus(report, isAnswered: false)
  }

  static func ask(_ request: ControlVerb, _ folder: borrowing VMFolder) throws -> [UInt8]? {
    let socket = try UnixSocket.connect(in: folder.directory, name: VMFiles.socket, timeout: answerLimit)
    try socket.send(request.encoded)
    return try socket.receive(limit: UnixSocket.messageLimit, maximumDescriptors: 0, timeout: answerLimit)?
      .bytes
  }

  /// Whether there is a newest block, of use or not, or has been one since the host's boot.
  private static func isBlockLeft(in folder: borrowing VMFolder) throws(VMError) -> Bool {
    do throws(VMError) { return try newestBlock(of: folder) != nil || folder.hasLostItsBlocks } catch {
      if error.isOwnShortage { throw error }
      return true
    }
  }

  /// Makes way for a new VM of a name whose guest has ended, or, where `orLost`, whose VM is lost.
  ///
  /// - Throws: `VMError` `refused` where the name is in use.
  static func clearEnded(_ folder: borrowing VMFolder, orLost: Bool = false) throws(VMError) {
    if try folder.readEnded() != nil {
      // It writes its end down before the last things that it does, and those go by the VM's name.
      try awaitEnd(of: folder)
    } else {
      let sign = folder.look()
      switch sign {
      case .lives:
        throw VMError(
          .refused,
          "the name \(folder.name) is in use; use another, or end that VM with `fsr stop \(folder.name)`")
      case .unknown: throw hidden(folder, sign)
      case .gone:
        try checkIsNoCopy(folder)
        if !orLost, try isBlockLeft(in: folder) {
          throw VMError(
            .refused,
            "the name \(folder.name) is of a VM that is lost; `fsr stop \(folder.name)` clears it")
        }
      }
    }
    if let other = folder.foreign.first {
      throw VMError(
        .refused,
        "the name \(folder.name) is in use: \(folder.path) holds \(other), which is not fsr's; use another, or look at it"
      )
    }
    forgetReservation(folder)
    let left = folder.clear(keeping: VMFiles.lock)
    // What a former VM has left elsewhere is in nobody's way.
    let inside = folder.path + "/"
    guard !left.foreign.isEmpty || left.stuck.contains(where: { $0.hasPrefix(inside) }) else { return }
    throw VMError(.refused, "the name \(folder.name) is in use: \(left.sentence)")
  }
}
