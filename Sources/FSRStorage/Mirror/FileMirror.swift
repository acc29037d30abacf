internal import FSRSystem
internal import Synchronization

/// Copies a file to another while it is written, and keeps the two the same until its owner takes the copy, or calls it
/// off.
///
/// All writes of the original go through it (`submit`) from its making on, and their ends come back from it. A thread
/// of its own drives the copying; whatever becomes of that, or of the copy, the original's writes go on.
public final class FileMirror: Sendable {
  public struct Options: Sendable {
    /// Blocks that are moved at once at most: 64 MiB.
    public var chunk: UInt64 = 16384
    /// Nil as fast as can be.
    public var bytesPerSecond: UInt64?
    /// Nanoseconds for which a write of the owner may wait for a copy of which nothing comes to an end: 10 s.
    public var timeout: UInt64 = 10_000_000_000

    public init() {}
  }

  /// How it stands.
  public struct Status: Hashable, Sendable {
    public let state: CopyHelper.State
    public let failure: CopyFailure?
    /// Bytes that were copied, and those that are to be in all, as far as that is known.
    public let copied: UInt64
    public let total: UInt64
  }

  /// What it works on, and whom it tells.
  struct Ends: Sendable {
    /// The original's queue, which starts its writes.
    let original: PageQueue
    /// The copy's own.
    let copy: PageQueue
    /// For copying past both queues.
    let files: ChunkCopy.Files
    /// Which of some blocks hold something, as runs in their order.
    let extents: @Sendable (Range<UInt64>) -> [Range<UInt64>]
    /// Makes the copy end at a block, where it is shorter. May take its time.
    let extend: @Sendable (UInt64) throws(CopyFailure) -> Void
    /// Called on the mirror's thread when nothing of it is under way any more: the copy may be closed.
    let over: @Sendable () -> Void
  }

  let ends: Ends
  let options: Options
  let bell: EventDescriptor
  /// Whether its thread has ended, or is about to.
  let hasEnded = OneWayFlag()
  let state: Mutex<State>

  /// - Parameters:
  ///   - blocks: those that are to be copied; blocks are pages of both files.
  ///   - used: how many of them hold something, for people.
  init(_ ends: Ends, blocks: Range<UInt64>, used: UInt64, options: Options) throws(SystemError) {
    self.ends = ends
    self.options = options
    bell = try EventDescriptor()
    state = Mutex(State(blocks, total: used * PageTransfer.pageSize, rate: options.bytesPerSecond))
  }

  /// Starts its thread. What was submitted to the original's queue before goes on by itself, and `begin` says when it
  /// has ended.
  func start() throws(SystemError) {
    _ = try OSThread.start(name: "mirror", detached: true) { self.run() }
  }

  /// Writes of before the mirror have all ended; nothing, where that was known.
  func begin() {
    var isNew = false
    change { state in
      guard state.helper.state == .starting else { return }
      isNew = true
      state.helper.take(.stands)
      state.route.begin(&state.deeds)
    }
    if isNew { ring() }
  }

  /// A copy that is to become longer is not yet the same.
  public var status: Status {
    state.withLock {
      Status(
        state: $0.helper.state == .sleeping && !$0.isLongEnough ? .done : $0.helper.state,
        failure: $0.helper.failure, copied: $0.copied, total: max($0.total, $0.copied))
    }
  }

  /// Whether writes may still go to the copy. From then on new ones need not come through it.
  public var isAlive: Bool { state.withLock { $0.helper.isAlive } }

  /// Whether no write is in it any more, and none comes.
  var isOver: Bool { state.withLock { $0.helper.state == .exited } }

  /// Writes that have come and not yet ended.
  var pending: Int { state.withLock { $0.route.pending + $0.finished.count } }

  /// Those of them that the original's queue does not have yet.
  var waiting: Int { state.withLock { $0.route.waiting + $0.unsent.count { !$0.isToCopy } } }

  /// Calls it off: from here on writes go to the original alone. After `finish` it only lets the thread end.
  public func cancel(_ failure: CopyFailure = .cancelled) {
    change { $0.helper.take(.failed(failure)) }
    ring()
  }

  /// Calls it off, and waits for the copy to be closed, for `limit` nanoseconds at most: a disk may hang.
  public func end(within limit: UInt64) {
    cancel()
    let deadline = MonotonicClock.now() + limit
    while !hasEnded.isUp, MonotonicClock.now() < deadline { MonotonicClock.sleep(Self.endLook) }
  }

  /// Nanoseconds between two looks at that.
  private static let endLook: UInt64 = 1_000_000

  /// Takes the mirror off, so that the copy may be taken: it is whole, and nothing is written any more. For the stun:
  /// it waits for nothing.
  ///
  /// - Throws: why it may not be taken.
  public func finish() throws(CopyFailure) {
    // The thread is left asleep: a processor more is of use to the guest.
    change { $0.helper.take($0.isLongEnough ? .wake : .failed(.wokenEarly)) }
    let (isCopied, failure) = state.withLock { ($0.helper.isCopied, $0.helper.failure) }
    if isCopied { return }
    cancel(.wokenEarly)
    throw failure ?? .wokenEarly
  }

  /// The original is longer by now, and the copy is to be.
  func grow(to end: UInt64) {
    change { state in
      guard state.helper.isAlive else { return }
      state.route.grow(to: end)
    }
    ring()
  }

  // MARK: writes

  /// Takes a write of the original on; its end comes by `takeFinished`.
  func submit(_ transfer: PageTransfer) {
    change { state in
      let id = Self.mark | state.nextID
      state.nextID += 1
      state.transfers[id] = State.Pending(transfer: transfer)
      state.route.write(id, transfer.pages, &state.deeds)
    }
  }

  /// Set in the tag of every transfer that this mirror has started.
  static let mark: UInt64 = 1 << 63

  /// A transfer that the mirror has started on the original's queue has ended.
  func originalEnded(_ completion: PageCompletion) {
    change { state in
      if let failure = completion.failure {
        state.transfers[completion.tag]?.failure = failure
        state.helper.take(.failed(.original(failure)))
      }
      state.route.originalEnded(completion.tag, &state.deeds)
    }
  }

  /// Ends of writes, with the tags that they came with.
  func takeFinished() -> [PageCompletion] {
    state.withLock { state in
      defer { state.finished.removeAll(keepingCapacity: true) }
      return state.finished
    }
  }

  func ring() { try? bell.signal() }

  /// Changes the state and does what follows from it.
  func change(_ body: (inout State) -> Void) {
    let (hasFinished, hasEnded) = state.withLock { state in
      let wasExited = state.helper.state == .exited
      body(&state)
      perform(&state)
      // Whoever takes the copy lets the thread sleep.
      let hasEnded = state.helper.state == .exited && !wasExited && !state.helper.isCopied
      return (!state.finished.isEmpty, hasEnded)
    }
    if hasFinished { try? ends.original.event.value.signal() }
    // The last write of one that was given up ends on another thread.
    if hasEnded { ring() }
  }
}
