internal import CFSRLinux
internal import Glibc
internal import Synchronization

/// A thread of the operating system, for loops that must not share one with Swift's pool: vCPUs, the pager.
public final class OSThread: Sendable {
  /// The kernel's number of the thread (gettid(2)), for `Scheduling`; the thread's own until it ends.
  public let threadID: Int32
  private let handle: pthread_t
  /// Whether the handle was given back, by a join or by a detach.
  private let settled: Atomic<Bool>

  private let start: ThreadStart

  private init(_ start: ThreadStart, threadID: Int32, handle: pthread_t, detached: Bool) {
    self.start = start
    self.threadID = threadID
    self.handle = handle
    settled = Atomic(detached)
  }

  /// A thread that nobody joined goes on by itself.
  deinit {
    if !settled.load(ordering: .acquiring) { pthread_detach(handle) }
  }

  /// Bytes of a thread's stack, of which those are memory that it has used: no limit of the process's own stack
  /// (RLIMIT_STACK), which may be of any size, makes it too small.
  private static let stackSize = 2 << 20

  /// Starts a thread that runs `body`; it is known to the kernel, and has its name, when this returns.
  ///
  /// The kernel keeps 15 bytes of `name`. A `detached` thread cannot be joined. EAGAIN when the limit of
  /// threads is reached.
  public static func start(name: String, detached: Bool = false, _ body: @escaping @Sendable () -> Void)
    throws(SystemError) -> OSThread
  {
    let start = ThreadStart(name: name, body: body)
    var handle = pthread_t()
    var attributes = pthread_attr_t()
    // SAFETY: initialised here, used by this call alone, and given back.
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setstacksize(&attributes, stackSize)
    defer { unsafe pthread_attr_destroy(&attributes) }
    // SAFETY: the reference is given to the thread, which takes it exactly once, or is taken back here.
    let argument = unsafe Unmanaged.passRetained(start)
    let answer = unsafe pthread_create(&handle, &attributes, runThread, argument.toOpaque())
    if answer != 0 {
      unsafe argument.release()
      throw SystemError("pthread_create", on: name, errno: answer)
    }
    let threadID = start.started()
    if detached { pthread_detach(handle) }
    return OSThread(start, threadID: threadID, handle: handle, detached: detached)
  }

  /// Waits until the thread has ended. Once only, not on a detached thread and not from itself: traps.
  public func join() {
    let (first, _) = settled.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
    precondition(first, "a thread is joined once")
    let answer = pthread_join(handle, nil)
    precondition(answer == 0, "a thread does not join itself")
  }

  /// Sends the signal `number` to this thread alone; false when it has ended. Signal 0 only asks.
  @discardableResult
  public func signal(_ number: Int32) throws(SystemError) -> Bool {
    // The kernel may have given the number to a later thread.
    if start.hasEnded { return false }
    let answer = cfsr_thread_signal(threadID, number)
    if answer == -ESRCH { return false }
    try check(answer, "tgkill", on: "signal \(number)")
    return true
  }

  /// The kernel's number of the calling thread.
  public static var currentThreadID: Int32 { cfsr_thread_id() }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  // SAFETY: the reference that `start` retained for this call.
  unsafe Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue().run()
  return nil
}

/// What a thread needs at its start, and the way its number comes back.
private final class ThreadStart: Sendable {
  private let name: String
  private let body: @Sendable () -> Void
  private let threadID = Atomic<Int32>(0)
  private let ended = Atomic<Bool>(false)
  private let announced = Semaphore()

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }

  func run() {
    // SAFETY: the C string lives for the call.
    _ = unsafe name.withCString { unsafe cfsr_thread_name($0) }
    threadID.store(cfsr_thread_id(), ordering: .releasing)
    announced.post()
    body()
    ended.store(true, ordering: .releasing)
  }

  var hasEnded: Bool { ended.load(ordering: .acquiring) }

  /// Waits for the thread's number.
  func started() -> Int32 {
    announced.wait()
    return threadID.load(ordering: .acquiring)
  }
}
