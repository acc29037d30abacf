internal import Glibc
internal import Synchronization

/// Reads and writes pages of one file without waiting for each.
///
/// Any thread may submit; one at a time takes completions, waits or drains. The queue owns its file: the descriptor
/// is never duplicated, and is closed by `close` or with the queue, once nothing is in flight. A process that is
/// killed keeps the open file description, and its locks with it, until the kernel has ended what was in flight.
public final class PageQueue: Sendable {
  /// What does the transfers.
  public enum Engine: String, CaseIterable, Sendable {
    case ring = "io_uring"
    case threads
  }

  /// Transfers that one queue may have in flight.
  public static let depthLimit = 1024

  public let engine: Engine
  /// Transfers that this queue may have in flight.
  public let depth: Int
  /// For a `Poller`: readable when there are completions to take, and now and then when there are none.
  public let event: Owned<EventDescriptor>
  private let state: Mutex<PageQueueState>

  /// Makes a queue over `file`, of 1 to `depthLimit` transfers in flight.
  ///
  /// - Parameter engine: io_uring where the kernel has and allows it, else threads, unless one is named.
  public init(
    file: consuming OwnedDescriptor, depth: Int, engine: Engine? = nil, faults: IOFaultPlan = IOFaultPlan()
  ) throws(SystemError) {
    precondition((1...Self.depthLimit).contains(depth), "a depth within the limit")
    let event = Owned(try EventDescriptor())
    let made = try Self.engine(engine, depth: depth, event: event)
    self.engine = made.kind
    self.depth = depth
    self.event = event
    state = Mutex(PageQueueState(file: file, engine: made.engine, depth: depth, faults: faults))
  }

  deinit {
    close()
    state.withLock { $0.engine }?.stop()
  }

  private static func engine(_ wanted: Engine?, depth: Int, event: Owned<EventDescriptor>)
    throws(SystemError) -> (kind: Engine, engine: any PageEngine)
  {
    if wanted != .threads {
      do throws(SystemError) {
        return (.ring, try URingEngine(depth: depth, event: event.value))
      } catch  where wanted == nil && [ENOSYS, EPERM, EACCES, ENOMEM].contains(error.errno) {
        // An old kernel, a filter of system calls, kernel.io_uring_disabled, or a limit of locked memory.
      }
    }
    return (.threads, try ThreadEngine(event: event))
  }

  /// Transfers whose end is not known yet.
  public var inFlight: Int { state.withLock { $0.inFlight } }

  /// Whether the kernel had no room for something that was started: taking completions asks it again.
  public var isHeldUp: Bool { state.withLock { $0.isHeldUp } }

  /// Whether `close` was called.
  public var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Starts as many of `transfers`, from the first on, as `depth` leaves room for; answers how many. What fails at
  /// once is a completion too.
  ///
  /// - Throws: EBADF after `close`.
  public func submit(_ transfers: some Collection<PageTransfer>) throws(SystemError) -> Int {
    let (taken, isReady) = try state.withLock { (state) throws(SystemError) in
      let taken = try state.submit(transfers)
      return (taken, state.hasFinished)
    }
    if isReady { try event.value.signal() }
    return taken
  }

  /// Starts one; false where as many as `depth` are in flight.
  ///
  /// - Throws: EBADF after `close`.
  public func submit(_ transfer: PageTransfer) throws(SystemError) -> Bool {
    try submit(CollectionOfOne(transfer)) == 1
  }

  /// Takes the completions that are there; never waits.
  public func completions() -> [PageCompletion] {
    // Down first: what ends from here on puts it up again.
    _ = try? event.value.clear()
    return state.withLock { $0.takeFinished() }
  }

  /// Takes completions, waiting for at least one; empty when nothing is in flight or `timeout` nanoseconds passed.
  /// Nil waits without end.
  public func wait(timeout: UInt64? = nil) throws(SystemError) -> [PageCompletion] {
    let deadline = MonotonicClock.deadline(after: timeout)
    while true {
      let finished = completions()
      if !finished.isEmpty || inFlight == 0 { return finished }
      // What the kernel would not take comes again soon, without an event to tell.
      let pause = state.withLock { $0.isHeldUp } ? MonotonicClock.deadline(after: Self.heldUpPause) : nil
      let until = [deadline, pause].compactMap { $0 }.min()
      if try !event.value.descriptor.waitUntilReady(deadline: until), let deadline,
        MonotonicClock.now() >= deadline
      {
        return completions()
      }
    }
  }

  /// Nanoseconds until the kernel is asked again to take what it had no room for.
  private static let heldUpPause: UInt64 = 1_000_000

  /// Waits until nothing is in flight; answers the completions that nobody had taken.
  @discardableResult
  public func drain() throws(SystemError) -> [PageCompletion] {
    var all: [PageCompletion] = []
    repeat { all += try wait() } while inFlight > 0
    return all
  }

  /// Lends the file; nil after `close`. Not to be duplicated or closed; its locks are the holder's to see to.
  public func withFile<Answer>(_ body: (borrowing OwnedDescriptor) throws(SystemError) -> Answer)
    throws(SystemError) -> Answer?
  {
    // The reference keeps it open meanwhile, without a lock: growing a file may take its time.
    guard let file = state.withLock({ $0.openFile }) else { return nil }
    return try body(file.value)
  }

  /// Nanoseconds between two tries of a close.
  private static let closingLook: UInt64 = 1_000_000

  /// Takes no more transfers, waits for those in flight, and closes the file; nothing happens the second time. What did
  /// the transfers goes with the queue: taking it apart costs more than all of this. Answers
  /// the completions that nobody had taken.
  ///
  /// - Parameter leaving: gets the file when nothing is in flight any more, just before it is closed.
  @discardableResult
  public func close(leaving: (borrowing OwnedDescriptor) -> Void = { _ in }) -> [PageCompletion] {
    state.withLock { $0.isClosed = true }
    // Waiting for an eventfd of our own fails for want of memory only, and then is tried again.
    var all: [PageCompletion] = []
    while state.withLock({ $0.inFlight > 0 || $0.hasFinished }) {
      do {
        all += try drain()
        break
      } catch { MonotonicClock.sleep(Self.closingLook) }
    }
    let file = state.withLock { state in
      defer { state.file = nil }
      return state.file
    }
    if let file { leaving(file.value) }
    return all
  }
}
