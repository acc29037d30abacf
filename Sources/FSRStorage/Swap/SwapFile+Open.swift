public import FSRState
internal import FSRSystem

extension SwapFile {
  /// Takes the file at `path` for a new VM: makes it with mode 0600 if it is not there; a file that a former VM has left
  /// loses its content.
  ///
  /// A symbolic link as the last component is refused, and so is whatever is no plain file, holds something
  /// else, is another user's (root's is not) or open to others.
  ///
  /// - Parameter slotLimit: pages that the VM may ever have in the file, 1 to `SlotBitmap.slotLimit`.
  /// - Throws: `SwapError`; the file that was made is removed then, and one that was there is as it was, unless it
  ///   held a former VM's pages.
  public static func open(
    _ path: String, header: SwapHeader, slotLimit: UInt64, options: Options = Options()
  ) throws(SwapError) -> SwapFile {
    try open(path, header: header, bitmap: SlotBitmap(limit: slotLimit), options: options) {
      (_) throws(SwapError) in
    }
  }

  /// - Parameter prepare: what else has to succeed.
  static func open(
    _ path: String, header: SwapHeader, bitmap: SlotBitmap, options: Options,
    _ prepare: (SwapFile) throws(SwapError) -> Void
  ) throws(SwapError) -> SwapFile {
    let isNew = try makeIfAbsent(path)
    do throws(SwapError) {
      let reference = try checkedReference(path)
      let file = try take(reference, path, header, bitmap, options)
      do throws(SwapError) { try prepare(file) } catch {
        file.release()
        throw error
      }
      return file
    } catch {
      // Who was quicker has it, though it was made here.
      if case .inUse = error { throw error }
      if isNew { try? OwnedDescriptor.remove(path) }
      throw error
    }
  }

  /// Answers whether the file was made.
  private static func makeIfAbsent(_ path: String) throws(SwapError) -> Bool {
    do throws(SystemError) {
      _ = try OwnedDescriptor.open(path, .createNew)
      return true
    } catch {
      if error.isTaken { return false }
      throw SwapError(error)
    }
  }

  private static func checkedReference(_ path: String) throws(SwapError) -> OwnedDescriptor {
    let reference = try SwapError.translating(of: path) { () throws(SystemError) in
      try OwnedDescriptor.reference(to: path)
    }
    let kind = try SwapError.translating(of: path) { () throws(SystemError) in try reference.kind() }
    let owner = try SwapError.translating(of: path) { () throws(SystemError) in try reference.ownership() }
    guard kind == .plain else { throw .notPlain(path: path, kind) }
    guard owner.uid == EffectiveUser.id || owner.uid == 0 else { throw .notOwned(path: path, uid: owner.uid) }
    guard owner.mode & 0o077 == 0 else {
      // What holds something else is not for anybody to change for this.
      if let file = try? reference.reopen(.read) { try checkContent(of: file, path) }
      throw .openToOthers(path: path, mode: owner.mode)
    }
    return reference
  }

  /// Nothing of the file is changed, nor its content judged, before nobody else can write it.
  private static func take(
    _ reference: consuming OwnedDescriptor, _ path: String, _ header: SwapHeader, _ bitmap: SlotBitmap,
    _ options: Options
  ) throws(SwapError) -> SwapFile {
    let file = try SwapError.translating(of: path) { () throws(SystemError) in
      try reference.reopen(.readWrite)
    }
    guard let claim = try claimAlone(reference, path) else { throw inUse(file, path) }
    let isAlone = try SwapError.translating(of: path) { () throws(SystemError) in
      try file.tryLock(byte: SwapLocks.writer, .exclusive)
    }
    guard isAlone else { throw inUse(file, path) }
    try checkContent(of: file, path)
    let identity = try SwapError.translating(of: path) { () throws(SystemError) in
      try file.truncate(to: 0)
      try file.write(header.encoded, at: 0)
      try claim.share()
      return try file.identity()
    }
    let description = SwapDescription(path: path, file: identity, header: header)
    return try SwapFile(
      reference: reference, claim: claim, file: file, description: description, bitmap: bitmap,
      options: options, isHeld: true)
  }

  /// Nanoseconds for who has just given the file up: a child that it was starting has its descriptors for a moment.
  private static let claimTimeout: UInt64 = 200_000_000

  private static func claimAlone(_ reference: borrowing OwnedDescriptor, _ path: String) throws(SwapError)
    -> SwapClaim?
  {
    let deadline = MonotonicClock.now() + claimTimeout
    while true {
      if let claim = try SwapClaim(alone: reference, of: path) { return claim }
      if MonotonicClock.now() >= deadline { return nil }
      MonotonicClock.sleep(leftoverLook)
    }
  }

  /// Refuses a file that somebody needs: only an empty one, or a former VM's, may be written over.
  private static func checkContent(of file: borrowing OwnedDescriptor, _ path: String) throws(SwapError) {
    let page = try SwapError.translating(of: path) { () throws(SystemError) in
      try file.read(at: 0, count: Int(PageTransfer.pageSize))
    }
    if !page.isEmpty, !SwapHeader.isOurs(page) { throw .foreign(path: path) }
  }

  /// Says who has the file, as far as can be found out.
  private static func inUse(_ file: borrowing OwnedDescriptor, _ path: String) -> SwapError {
    let page = try? file.read(at: 0, count: Int(PageTransfer.pageSize))
    let header = page.flatMap { try? SwapHeader(decoding: $0) }
    let claimant = (try? file.lockHolder(byte: SwapLocks.claim)) ?? nil
    let writer = (try? file.lockHolder(byte: SwapLocks.writer)) ?? nil
    return .inUse(path: path, vm: header?.vm, process: claimant ?? writer)
  }

  /// Nanoseconds for a killed process's writes to end, and between two looks.
  private static let leftoverTimeout: UInt64 = 2_000_000_000
  private static let leftoverLook: UInt64 = 5_000_000

  /// Removes the swap file at `path` where it is the one of a machine that is no more, and nobody writes it any more.
  /// Whatever else is there stays untouched, a file of another VM of the same name too. Waits for the last writes of a
  /// process that was killed, which has its lock until then. Answers false where the machine's own file is left: somebody
  /// still has it, or this process cannot have it looked at.
  ///
  /// - Parameter machines: what it may be, one of them; none where nothing tells of it any more: then it is the file's name
  ///   for its VM that counts, and that nobody has any part in it.
  @discardableResult
  public static func removeLeftover(_ path: String, of vm: String, _ machines: [MachineIdentity]) -> Bool {
    let reference: OwnedDescriptor
    do throws(SwapError) { reference = try checkedReference(path) } catch {
      switch error {
      case .notPlain, .notOwned, .openToOthers, .foreign: return true
      default: return error.cause.isMissing
      }
    }
    guard let file = try? reference.reopen(.readWrite) else { return false }
    // Looked at before anything is locked, since a lock is in the way of whoever uses the file.
    guard let isOurs = isOf(vm, machines, file) else { return false }
    if !isOurs { return true }
    if machines.isEmpty, (try? SwapClaim(alone: reference, of: path)) == nil { return true }
    let deadline = MonotonicClock.now() + leftoverTimeout
    while (try? file.tryLock(byte: SwapLocks.writer, .exclusive)) != true {
      if isOf(vm, machines, file) == false { return true }
      if MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(leftoverLook)
    }
    guard let isStillOurs = isOf(vm, machines, file) else { return false }
    // What was put in its place meanwhile is another's.
    guard isStillOurs, (try? OwnedDescriptor.reference(to: path).isSameFile(as: file)) == true else {
      return true
    }
    return (try? OwnedDescriptor.remove(path)) != nil
  }

  /// Nil where it cannot be read.
  private static func isOf(_ vm: String, _ machines: [MachineIdentity], _ file: borrowing OwnedDescriptor)
    -> Bool?
  {
    guard let page = try? file.read(at: 0, count: Int(PageTransfer.pageSize)) else { return nil }
    guard let header = try? SwapHeader(decoding: page) else { return false }
    return machines.isEmpty ? header.vm == vm : machines.contains(header.identity)
  }
}
