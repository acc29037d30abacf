public import FSRSystem

/// The ledger of a runtime folder, as a file: who has been promised how much resident memory.
///
/// The file is never written in place. A change makes a draft beside it and renames it over, under a lock: whoever
/// is killed at any moment leaves the old ledger or the new one, whole, and a reader needs no lock. No file is a ledger
/// of nothing; a file whose bytes are not as they were written is damaged, and nothing but `rebuild` replaces it.
/// Its names start with a dot, as no VM's does.
public struct Ledger: ~Copyable, Sendable {
  package static let fileName = ".ledger"
  package static let draftName = ".ledger.new"
  package static let lockName = ".ledger.lock"
  /// How long a process may keep the lock, in nanoseconds: a change takes far less than a millisecond, plus what a
  /// disk takes to make it durable.
  private static let timeout: UInt64 = 5_000_000_000
  /// Nanoseconds between two tries for the lock.
  private static let pause: UInt64 = 500_000

  /// What a change does, in this order.
  package enum WriteStep: CaseIterable, Sendable { case lock, draft, write, sync, rename }

  private let directory: Directory
  private let reached: @Sendable (WriteStep) throws(LedgerError) -> Void

  /// - Parameter directory: the runtime folder.
  public init(in directory: consuming Directory) {
    self.init(in: directory) { (_) throws(LedgerError) in }
  }

  /// - Parameter reached: called after each step of a change; what it throws leaves all as a death there would.
  package init(
    in directory: consuming Directory, reached: @escaping @Sendable (WriteStep) throws(LedgerError) -> Void
  ) {
    self.directory = directory
    self.reached = reached
  }

  /// What it says now.
  ///
  /// - Throws: `LedgerError` `damaged`, `system`.
  public func read() throws(LedgerError) -> LedgerBook {
    guard let bytes = try bytes() else { return LedgerBook() }
    do { return try LedgerBook(decoding: bytes) } catch {
      throw .damaged(path: path(Self.fileName), why: "\(error)")
    }
  }

  private func bytes() throws(LedgerError) -> [UInt8]? {
    do throws(SystemError) {
      return try directory.openFile(Self.fileName, .read).readAll(limit: LedgerBook.sizeLimit)
    } catch {
      if error.isMissing { return nil }
      if error.isTooLarge { throw .damaged(path: path(Self.fileName), why: "it is longer than any ledger") }
      throw .system(error)
    }
  }

  /// Reads it, lets `body` change what it says, and writes that; all of it under the lock. Nothing is written where
  /// `body` throws or changes nothing.
  ///
  /// - Throws: `LedgerError`: what `body` throws, `damaged`, `busy`, `system`.
  public func change(_ body: (inout LedgerBook) throws(LedgerError) -> Void) throws(LedgerError) {
    try locked { () throws(LedgerError) in
      let old = try read()
      var book = old
      try body(&book)
      if book != old { try write(&book) }
    }
  }

  /// Replaces whatever is there by a ledger of `records`. A capacity that was set is kept where it can be read.
  ///
  /// - Returns: whether nothing of what was set is lost.
  public func rebuild(_ records: [LedgerRecord]) throws(LedgerError) -> Bool {
    precondition(records.count <= LedgerBook.recordLimit, "a ledger has a limit of records")
    var isKept = true
    try locked { () throws(LedgerError) in
      var book = LedgerBook(records: records)
      do throws(LedgerError) {
        let old = try read()
        book.capacity = old.capacity
        book.sequence = old.sequence
      } catch {
        guard case .damaged = error else { throw error }
        book.capacity = salvagedCapacity()
        isKept = book.capacity != nil
      }
      try write(&book)
    }
    return isKept
  }

  /// The capacity that a damaged file still says; nil where it says none that can be trusted.
  private func salvagedCapacity() -> UInt64? {
    guard let file = try? directory.openFile(Self.fileName, .read),
      let head = try? file.read(at: 0, count: LedgerBook.headSize)
    else { return nil }
    return LedgerBook.salvageCapacity(of: head)
  }

  private func locked(_ body: () throws(LedgerError) -> Void) throws(LedgerError) {
    let lock: Owned<OwnedDescriptor>
    let isHeld: Bool
    do throws(SystemError) {
      lock = Owned(try directory.openFile(Self.lockName, .readWriteCreating))
      isHeld = try Self.wait(for: lock.value)
    } catch { throw .system(error) }
    guard isHeld else { throw .busy(path: path(Self.lockName)) }
    // Said, and not left to the closing: a process that another thread spawns at this moment has a duplicate.
    defer { try? lock.value.unlock() }
    try reached(.lock)
    try body()
  }

  /// False where somebody else keeps it for too long.
  private static func wait(for lock: borrowing OwnedDescriptor) throws(SystemError) -> Bool {
    let deadline = MonotonicClock.now() + timeout
    while !(try lock.tryLock()) {
      if MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(pause)
    }
    return true
  }

  private func write(_ book: inout LedgerBook) throws(LedgerError) {
    book.sequence &+= 1
    do {
      // What a process that died here has left.
      try? directory.unlink(Self.draftName)
      let draft = try directory.openFile(Self.draftName, .createNew)
      try reached(.draft)
      try draft.write(book.encoded, at: 0)
      try reached(.write)
      // A host that loses its power may otherwise keep the new name without the bytes.
      try draft.sync()
      try reached(.sync)
      try directory.rename(Self.draftName, to: Self.fileName, replacing: true)
      try reached(.rename)
    } catch let error as SystemError { throw .system(error) } catch let error as LedgerError {
      throw error
    } catch { preconditionFailure("no other error is thrown here") }
  }

  private func path(_ name: String) -> String { ((try? directory.path()) ?? ".") + "/" + name }
}
