internal import Glibc

/// What a `PageQueue` keeps under its lock.
struct PageQueueState {
  /// Times that a transfer is started again after the kernel did none of it.
  private static let attemptLimit = 16

  private struct Operation {
    let transfer: PageTransfer
    /// Bytes that are transferred already, whole pages.
    var done = 0
    var attempts = 0
  }

  var file: Owned<OwnedDescriptor>?
  var engine: (any PageEngine)?
  var isClosed = false
  private var faults: IOFaultPlan
  private var operations: [Operation?]
  private var free: [Int]
  private var finished: [PageCompletion] = []

  init(file: consuming OwnedDescriptor, engine: any PageEngine, depth: Int, faults: IOFaultPlan) {
    self.file = Owned(file)
    self.engine = engine
    self.faults = faults
    operations = Array(repeating: nil, count: depth)
    free = Array((0..<depth).reversed())
    finished.reserveCapacity(depth)
  }

  var inFlight: Int { operations.count - free.count }
  var hasFinished: Bool { !finished.isEmpty }
  var isHeldUp: Bool { engine?.isHeldUp ?? false }
  var openFile: Owned<OwnedDescriptor>? { isClosed ? nil : file }

  mutating func submit(_ transfers: some Collection<PageTransfer>) throws(SystemError) -> Int {
    guard !isClosed else { throw SystemError("submit", on: "a closed queue", errno: EBADF) }
    var taken = 0
    for transfer in transfers {
      guard let index = free.popLast() else { break }
      operations[index] = Operation(transfer: transfer)
      taken += 1
      if let failure = faults.reach(transfer.direction == .read ? .read : .write) {
        finish(index, failure)
      } else {
        start(index)
      }
    }
    engine?.flush()
    return taken
  }

  mutating func takeFinished() -> [PageCompletion] {
    for answer in engine?.takeAnswers() ?? [] { settle(answer) }
    engine?.flush()
    defer { finished.removeAll(keepingCapacity: true) }
    return finished
  }

  private mutating func settle(_ answer: PageAnswer) {
    guard operations.indices.contains(answer.index), var operation = operations[answer.index] else {
      preconditionFailure("an answer to nothing")
    }
    let again = [-EINTR, -EAGAIN, -ECANCELED].contains(Int32(clamping: answer.answer))
    if answer.answer < 0, !again {
      return finish(answer.index, error(operation, Int32(-answer.answer)))
    }
    // The end of the file, or a disk that takes nothing.
    if answer.answer == 0 { return finish(answer.index, error(operation, EIO)) }
    let page = Int(PageTransfer.pageSize)
    // A page that was begun is done again, since direct transfers are whole ones.
    let progress = again ? 0 : Int(answer.answer) / page * page
    operation.done += progress
    operation.attempts += progress == 0 ? 1 : 0
    if operation.done == operation.transfer.byteCount { return finish(answer.index, nil) }
    if operation.attempts > Self.attemptLimit { return finish(answer.index, error(operation, EIO)) }
    operations[answer.index] = operation
    start(answer.index)
  }

  private func error(_ operation: Operation, _ errno: Int32) -> SystemError {
    let pages = operation.transfer.pages
    return SystemError(
      operation.transfer.direction == .read ? "pread" : "pwrite",
      on: "pages \(pages.lowerBound) to \(pages.upperBound - 1)", errno: errno)
  }

  private func start(_ index: Int) {
    guard let operation = operations[index], let file, let engine else {
      preconditionFailure("nothing is started that is not there")
    }
    let transfer = operation.transfer
    let offset = transfer.pages.lowerBound * PageTransfer.pageSize + UInt64(operation.done)
    // SAFETY: the transfer has checked its range; its memory is mapped as long as `operations` holds it, and `file`
    // stays open until nothing is in flight.
    engine.start(
      index,
      unsafe PagePart(
        direction: transfer.direction, file: file.value.raw,
        address: transfer.memory.value.base + Int(transfer.offset) + operation.done,
        count: transfer.byteCount - operation.done, offset: offset))
  }

  private mutating func finish(_ index: Int, _ failure: SystemError?) {
    guard let transfer = operations[index]?.transfer else { return }
    operations[index] = nil
    free.append(index)
    finished.append(PageCompletion(tag: transfer.tag, direction: transfer.direction, failure: failure))
  }
}
