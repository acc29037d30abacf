public import FSRSystem
internal import Synchronization

/// The file that a VM's pages go to when memory is short.
///
/// It is written by one process at a time, whose exclusive lock is on the very descriptor that does the I/O
/// (`SwapLocks`). A handoff goes: the destination opens it ahead by a reference (`init(reopening:…)`), the source
/// gives it back (`release`), the destination takes it (`lock`). A source that takes it back does as the
/// destination would, with `reopened`.
///
/// Any thread may allocate, free and submit; one at a time takes completions. Who calls `release` has stopped those who
/// allocate and free before: the bitmap is the next owner's from then on.
public final class SwapFile: Sendable {
  public struct Options: Sendable {
    /// Transfers in flight.
    public var depth: Int
    /// What does them; nil takes io_uring where it is to be had.
    public var engine: PageQueue.Engine?
    /// Whether to go past the page cache where the file system can.
    public var prefersDirect: Bool
    /// Failures to commit on purpose.
    public var faults: IOFaultPlan

    public init(
      depth: Int = 64, engine: PageQueue.Engine? = nil, prefersDirect: Bool = true,
      faults: IOFaultPlan = IOFaultPlan()
    ) {
      self.depth = depth
      self.engine = engine
      self.prefersDirect = prefersDirect
      self.faults = faults
    }
  }

  struct Growth {
    var faults: IOFaultPlan
    /// Slots that the file has; the bitmap has as many or fewer.
    var slots: UInt64
    /// The file system has no fallocate(2), so that a write may find the disk full.
    var isSparse = false
    /// The last try to make the file longer has failed.
    var isStuck = false
  }

  /// For the next owner.
  public let description: SwapDescription
  /// Which slots are in use; its memfd goes to the next owner.
  public let bitmap: SlotBitmap
  /// Whether I/O goes past the page cache.
  public let isDirect: Bool
  let options: Options
  let queue: PageQueue
  let growth: Mutex<Growth>
  let routing = Mutex(Routing())
  let reference: OwnedDescriptor
  /// Held as long as this object lives, also after `release`, but for `giveUp`.
  private let claim: Mutex<SwapClaim?>
  private let held: Atomic<Bool>

  init(
    reference: consuming OwnedDescriptor, claim: consuming SwapClaim, file: consuming OwnedDescriptor,
    description: SwapDescription, bitmap: SlotBitmap, options: Options, isHeld: Bool
  ) throws(SwapError) {
    isDirect = options.prefersDirect && file.makeDirect()
    do throws(SystemError) {
      queue = try PageQueue(
        file: file, depth: options.depth, engine: options.engine, faults: options.faults)
    } catch { throw SwapError(error) }
    self.reference = reference
    self.claim = Mutex(claim)
    self.description = description
    self.bitmap = bitmap
    self.options = options
    growth = Mutex(Growth(faults: options.faults, slots: bitmap.count))
    held = Atomic(isHeld)
  }

  /// Whether this object holds the file's lock.
  public var isHeld: Bool { held.load(ordering: .acquiring) }

  /// What transfers the pages.
  public var engine: PageQueue.Engine { queue.engine }

  /// A descriptor for the next owner, which leads to the file and opens nothing (O_PATH).
  public func makeReference() throws(SwapError) -> OwnedDescriptor {
    try SwapError.translating { () throws(SystemError) in try reference.duplicate() }
  }

  /// The part that this process has in the file (`SwapLocks`), for who takes no part of its own: as long as anybody has
  /// it open, no other VM takes the file.
  ///
  /// - Throws: `SwapError.notHeld` after `giveUp`.
  public func makeClaim() throws(SwapError) -> OwnedDescriptor {
    let made: OwnedDescriptor? = try SwapError.translating { () throws(SystemError) in
      try claim.withLock { (claim) throws(SystemError) in try claim?.file.duplicate() }
    }
    guard let made else { throw .notHeld }
    return made
  }

  // MARK: handing over

  /// Opens a swap file ahead, by a peer's reference: everything is ready but the lock, and nothing is written.
  ///
  /// - Throws: `SwapError.otherFile` where it is not the one described, and what `lock` throws but for the lock.
  public convenience init(
    reopening reference: consuming OwnedDescriptor, description: SwapDescription, bitmap: SlotBitmap,
    options: Options = Options()
  ) throws(SwapError) {
    // Opening what is no plain file may change it.
    let kind = try SwapError.translating { () throws(SystemError) in try reference.kind() }
    guard kind == .plain else { throw .otherFile(path: description.path) }
    let claim = try SwapClaim(joining: reference)
    let file = try SwapError.translating { () throws(SystemError) in try reference.reopen(.readWrite) }
    let isDescribed = try SwapError.translating { () throws(SystemError) in
      try Self.isDescribed(file, description)
    }
    guard isDescribed else { throw .otherFile(path: description.path) }
    try self.init(
      reference: reference, claim: claim, file: file, description: description, bitmap: bitmap,
      options: options, isHeld: false)
  }

  deinit { release() }

  /// Opens the same file anew, to take it back after `release`; may be done ahead of that.
  public func reopened() throws(SwapError) -> SwapFile {
    try SwapFile(reopening: makeReference(), description: description, bitmap: bitmap, options: options)
  }

  private static func isDescribed(_ file: borrowing OwnedDescriptor, _ description: SwapDescription)
    throws(SystemError) -> Bool
  {
    guard try file.identity() == description.file else { return false }
    let page = try file.read(at: 0, count: Int(PageTransfer.pageSize))
    return (try? SwapHeader(decoding: page)) == description.header
  }

  /// Takes the exclusive lock without waiting, and looks whether bitmap and file fit: two system calls. From then on
  /// the file is this process's. To be tried again on `inUse` while the last owner's writes end.
  ///
  /// - Throws: `SwapError.inUse`, `tooSmall`, `bitmap`; `notHeld` after `release`.
  public func lock() throws(SwapError) {
    let bytes = try withFile { (file) throws(SystemError) -> UInt64? in
      try file.tryLock(byte: SwapLocks.writer, .exclusive) ? file.size() : nil
    }
    guard let bytes else { throw .inUse(path: description.path, vm: nil, process: nil) }
    do throws(SwapError) {
      try bitmap.check()
      let needed = (SwapHeader.pages + bitmap.count) * PageTransfer.pageSize
      if bytes < needed { throw .tooSmall(path: description.path, bytes: bytes, needed: needed) }
    } catch {
      _ = try withFile { (file) throws(SystemError) in try file.unlock(byte: SwapLocks.writer) }
      throw error
    }
    held.store(true, ordering: .releasing)
  }

  /// Goes the way of `lock` and `release` with another lock; the file's own stays whose it is. What is done for the first
  /// time takes longer.
  public func rehearseLock() {
    _ = try? withFile { (file) throws(SystemError) in
      if try file.tryLock(byte: SwapLocks.rehearsal, .exclusive) {
        try file.unlock(byte: SwapLocks.rehearsal)
      }
      return try file.size()
    }
    try? bitmap.check()
  }

  /// Waits for what is in flight, gives the lock back and closes the file. Nothing more can be read or written; no
  /// other VM takes the file as long as this object lives. Answers the completions that nobody had taken.
  @discardableResult
  public func release() -> [PageCompletion] {
    held.store(false, ordering: .releasing)
    mirror?.cancel()
    // Whoever just makes the file grow ends first.
    return growth.withLock { _ in
      // A lock lives on in copies of the descriptor, which a child that is being started may have for a moment.
      return sort(queue.close { file in try? file.unlock(byte: SwapLocks.writer) })
    }
  }

  /// What `release` does; and this object's part in the file ends too, so that others may take it.
  public func giveUp() {
    release()
    claim.withLock { $0 = nil }
  }

  func withFile<Answer>(_ body: (borrowing OwnedDescriptor) throws(SystemError) -> Answer) throws(SwapError)
    -> Answer
  {
    let answer: Answer?
    do throws(SystemError) { answer = try queue.withFile(body) } catch {
      throw SwapError(error.naming(description.path))
    }
    guard let answer else { throw .notHeld }
    return answer
  }
}
