internal import FSRHandoff
public import FSRHost
internal import FSRSystem

/// What may be said of a VM by somebody who does not see all of it.
extension VMClient {
  /// How long a VM that is being started or stopped may be neither there nor gone, in nanoseconds.
  private static let transition: UInt64 = 500_000_000
  /// How long those who were told to end, or killed, may take until nothing of them is left, in nanoseconds.
  private static let dyingLimit: UInt64 = 5_000_000_000
  private static let proofLook: UInt64 = 10_000_000

  /// Why a VM has no control blocks: `lost` where that proves that it was started since the host's boot, and nobody has it.
  public static func absence(of folder: borrowing VMFolder) -> VMError {
    let name = folder.name
    let deadline = MonotonicClock.now() + transition
    while true {
      do throws(VMError) { try folder.checkGuestIsThere() } catch { return error }
      if folder.isRemoved { return VMError(.noSuchVM, "\(name) was stopped") }
      let sign = folder.look()
      switch sign {
      case .unknown: return hidden(folder, sign)
      case .gone:
        // Who starts or stops it is about to change that.
        if let holder = holder(of: folder) {
          guard MonotonicClock.now() < deadline else { return isAtWork(holder, on: name) }
          break
        }
        if folder.hasLostItsBlocks { return loss(of: folder) }
        return VMError(
          .noSuchVM,
          "\(name) was never started, or the host has rebooted since; `fsr stop \(name)` clears its folder")
      case .lives:
        // One that is started makes them, and one that is stopped removes them ahead of its folder.
        guard MonotonicClock.now() < deadline else { return blocksAreGone(folder) }
      }
      MonotonicClock.sleep(proofLook)
    }
  }

  /// Who else is at work on the VM, as far as its lock says that; nil where nobody is.
  private static func holder(of folder: borrowing VMFolder) -> VMLock.Holder?? {
    guard case .held(let holder)? = try? VMLock.look(in: folder.directory),
      holder?.identity != ProcessIdentity.current()
    else { return nil }
    return .some(holder)
  }

  private static func isAtWork(_ holder: VMLock.Holder?, on name: String) -> VMError {
    let who = holder.map { "process \($0.identity.pid)" } ?? "a process"
    let standstill = holder.flatMap {
      $0.namespace.isOwn && $0.identity.isStopped ? $0.identity.standstill : nil
    }
    let remedy = standstill?.remedy ?? "try again, or end it with `fsr stop \(name)`"
    return VMError(
      .refused,
      "\(name) has no control blocks yet, or none any more: \(who) starts or stops it"
        + "\(standstill == nil ? "" : ", and was stopped by a signal"); \(remedy)")
  }

  private static func blocksAreGone(_ folder: borrowing VMFolder) -> VMError {
    let name = folder.name
    return VMError(
      .refused,
      "a process of \(name) lives, but its control blocks (\(blocksPlace(of: folder))) are not there: it is just being started, or somebody "
        + "removed them, as logind does at a logout (RemoveIPC); such a VM runs on and cannot be handed over, and "
        + "`fsr stop \(name)` ends it")
  }

  /// Why nothing is said of the VM, by what kept this process from looking.
  static func hidden(_ folder: borrowing VMFolder, _ sign: LifeSign) -> VMError {
    let name = folder.name
    switch sign {
    case .unknown(let why):
      return VMError(
        sign.isOwnShortage ? .other : .refused, why.causing("it cannot be told from here how \(name) fares"))
    case .lives, .gone:
      return VMError(.refused, "it cannot be told from here how \(name) fares; `fsr status \(name)` may")
    }
  }

  /// Whether `party` lives.
  ///
  /// - Throws: `VMError` `refused` where that cannot be told.
  static func isAlive(_ party: Party, of block: ControlBlock, _ folder: borrowing VMFolder) throws(VMError)
    -> Bool
  {
    guard let sign = block.life(of: party) else { return false }
    switch sign {
    case .lives: return true
    case .gone: return false
    case .unknown:
      // Nobody holds the VM any more: so neither does this one.
      if !sign.isOwnShortage, case .gone = folder.look() { return false }
      throw hidden(folder, sign)
    }
  }

  /// - Throws: `VMError` `refused` where those who have the VM cannot be seen from here, so that nothing can be done
  ///   about it; `lost` where it is proven all the same that nobody has it.
  public static func checkIsVisible(_ folder: borrowing VMFolder) throws(VMError) {
    do throws(SystemError) { try ProcessIdentity.establish() } catch {
      throw VMError(
        error.isOwnShortage ? .other : .refused,
        error.reason.causing("nothing can be done about \(folder.name) from here"))
    }
    let newest: ControlBlock?
    do throws(VMError) { newest = try newestBlock(of: folder) } catch {
      if error.isOwnShortage { throw error }
      if try isLost(folder, behind: error) { throw loss(of: folder) }
      // What is wrong with it is said by whoever goes on.
      return
    }
    guard let newest else { return }
    guard let blindness = newest.blindness else {
      // Whoever goes by a block that was left behind would take this VM for lost.
      if namesNobodyAlive(newest), try isHeldByAnUnnamed(folder) { throw unnamed(folder) }
      return
    }
    if !blindness.isOwnShortage, case .gone = folder.look() { throw loss(of: folder) }
    throw hidden(folder, blindness)
  }

  static func loss(of folder: borrowing VMFolder) -> VMError {
    VMError(.lost, "\(folder.name) is lost: nobody runs it or can; `fsr stop \(folder.name)` clears up")
  }

  /// Whether nobody has the VM of whose newest block `flaw` is all that is known: a block that is of no use names no
  /// process, and what every process of a VM holds proves that there is none.
  ///
  /// - Throws: `VMError` `noSuchVM` where the guest has ended by itself, or the VM was stopped.
  static func isLost(_ folder: borrowing VMFolder, behind flaw: VMError) throws(VMError) -> Bool {
    if flaw.isOwnShortage { return false }
    guard case .gone = folder.look() else { return false }
    // Whoever ends a VM in order says so before he lets it go.
    try folder.checkGuestIsThere()
    if folder.isRemoved { throw absence(of: folder) }
    return true
  }

  private static func namesNobodyAlive(_ block: ControlBlock) -> Bool {
    [Party.source, .destination].allSatisfy { party in
      switch block.life(of: party) {
      case .gone, nil: true
      case .lives, .unknown: false
      }
    }
  }

  /// - Throws: `VMError` `refused` where somebody has the VM that is to be gone, or where that cannot be told: nothing of it
  ///   may be removed then.
  static func checkIsGone(_ folder: borrowing VMFolder) throws(VMError) {
    let name = folder.name
    let deadline = MonotonicClock.now() + dyingLimit
    while true {
      // Whoever is known of it was ended before, by spoilt blocks too.
      let sign = folder.lookPastSpoiltBlocks()
      switch sign {
      case .gone: return
      case .unknown(let why):
        throw VMError(
          sign.isOwnShortage ? .other : .refused, why.causing("it cannot be told whether \(name) is stopped"))
      case .lives: break
      }
      guard MonotonicClock.now() < deadline else {
        let newest = (try? newestBlock(of: folder)) ?? nil
        if case .unknown(let why)? = newest?.blindness {
          throw VMError(.refused, why.causing("\(name) lives, and does not end when it is told to"))
        }
        throw VMError(
          .refused,
          "\(name) is not stopped: a process that no control block of it names has it, and does not end when it is told "
            + "to; `fuser -v \(folder.path)` shows which")
      }
      MonotonicClock.sleep(proofLook)
    }
  }

  /// Waits until nothing is left of a VM whose guest has ended.
  ///
  /// - Throws: `VMError` `refused` where its VMM stays, or that cannot be told.
  static func awaitEnd(of folder: borrowing VMFolder) throws(VMError) {
    let deadline = MonotonicClock.now() + stopLimit
    while true {
      let sign = folder.look()
      switch sign {
      case .gone: return
      case .unknown: throw hidden(folder, sign)
      case .lives: break
      }
      guard MonotonicClock.now() < deadline else {
        throw VMError(.refused, "the name \(folder.name) is in use: its VMM is about to end, and does not")
      }
      MonotonicClock.sleep(proofLook)
    }
  }

  /// What the VM's VMM answers; nil where nobody does.
  ///
  /// - Throws: `VMError` where this process has no room for asking.
  static func answer(to request: ControlVerb, of folder: borrowing VMFolder) throws(VMError) -> [UInt8]? {
    do { return try ask(request, folder) } catch {
      if let error = error as? SystemError, error.isOwnShortage { throw VMError(error) }
      return nil
    }
  }
}

extension VMError {
  /// Whether it is for want of descriptors or memory that nothing was seen.
  public var isOwnShortage: Bool { reason.code == .limits || reason.code == .headroom }
}

extension LifeSign {
  /// Whether it is for want of descriptors or memory that this process cannot look.
  var isOwnShortage: Bool {
    if case .unknown(let why) = self { why.code == .limits || why.code == .headroom } else { false }
  }
}
