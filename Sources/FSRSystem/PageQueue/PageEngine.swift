/// How a queue has its transfers done: by io_uring, or by threads. All calls come under the queue's lock, except
/// that `stop` comes last and alone.
protocol PageEngine: AnyObject, Sendable {
  /// Takes a transfer, known by `index` until it is answered. Its memory and file stay until then.
  func start(_ index: Int, _ part: PagePart)

  /// Sends off what was started.
  func flush()

  /// Whether something that was started could not be sent off yet: `flush` is to be called again.
  var isHeldUp: Bool { get }

  /// Answers what has ended since: how many bytes were transferred, or -errno. After a change here the queue's
  /// event is up.
  func takeAnswers() -> [PageAnswer]

  /// Gives everything back; nothing is in flight.
  func stop()
}

/// A stretch of bytes to be transferred.
@safe struct PagePart: @unchecked Sendable {
  // SAFETY: Sendable, because the queue keeps the memory mapped, and the file open, until the answer.
  let direction: PageTransfer.Direction
  let file: Int32
  let address: UnsafeMutableRawPointer
  let count: Int
  let offset: UInt64
}

struct PageAnswer: Sendable {
  let index: Int
  let answer: Int64
}
