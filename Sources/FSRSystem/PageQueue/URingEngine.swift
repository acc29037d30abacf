internal import CURing
internal import Glibc

/// Transfers by io_uring(7): no thread of ours waits for the disk.
@safe final class URingEngine: PageEngine, @unchecked Sendable {
  // SAFETY: Sendable, because every call comes under the queue's lock; the ring is allocated and initialized in
  // `init` and goes in `deinit` alone, which comes after `stop`.
  private let ring: UnsafeMutablePointer<io_uring>
  private var unsent: Int32 = 0
  private var isStopped = false

  /// Makes a ring for `depth` transfers, which puts `event` up as any of them ends.
  ///
  /// - Throws: ENOSYS where the kernel has none, EPERM where it is forbidden, ENOMEM.
  init(depth: Int, event: borrowing EventDescriptor) throws(SystemError) {
    // SAFETY: initialized before the library sees it.
    let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
    unsafe ring.initialize(to: io_uring())
    // SAFETY: the library fills the ring, or answers an error and leaves nothing open.
    let made = unsafe io_uring_queue_init(UInt32(depth), ring, 0)
    if made < 0 {
      unsafe ring.deallocate()
      throw SystemError("io_uring_setup", on: "\(depth) entries", errno: -made)
    }
    // SAFETY: an initialized ring.
    let told = unsafe io_uring_register_eventfd(ring, event.descriptor.raw)
    if told < 0 {
      unsafe io_uring_queue_exit(ring)
      unsafe ring.deallocate()
      throw SystemError("io_uring_register", on: "eventfd", errno: -told)
    }
    unsafe self.ring = ring
  }

  deinit {
    precondition(isStopped, "a ring is stopped before it goes")
    // SAFETY: `stop` has taken the ring down.
    unsafe ring.deallocate()
  }

  func start(_ index: Int, _ part: PagePart) {
    // SAFETY: an initialized ring. It has an entry for each transfer that the queue may have in flight.
    guard let entry = unsafe io_uring_get_sqe(ring) else {
      preconditionFailure("more in flight than the depth")
    }
    let count = UInt32(part.count)
    // SAFETY: the caller keeps memory and file until the answer.
    switch part.direction {
    case .read: unsafe io_uring_prep_read(entry, part.file, part.address, count, part.offset)
    case .write: unsafe io_uring_prep_write(entry, part.file, part.address, count, part.offset)
    }
    unsafe io_uring_sqe_set_data64(entry, UInt64(index))
    unsent += 1
  }

  func flush() {
    while unsent > 0 {
      // SAFETY: an initialized ring.
      let sent = unsafe io_uring_submit(ring)
      if sent == -EINTR { continue }
      // EAGAIN and EBUSY pass as other transfers end; the entries stay in the ring.
      if sent <= 0 { return }
      unsent -= min(sent, unsent)
    }
  }

  var isHeldUp: Bool { unsent > 0 }

  func takeAnswers() -> [PageAnswer] {
    var answers: [PageAnswer] = []
    var entry: UnsafeMutablePointer<io_uring_cqe>? = nil
    // SAFETY: an initialized ring; an entry is the reader's until it says that it was seen.
    while unsafe io_uring_peek_cqe(ring, &entry) == 0, let seen = unsafe entry {
      answers.append(
        PageAnswer(index: Int(unsafe seen.pointee.user_data), answer: Int64(unsafe seen.pointee.res)))
      unsafe io_uring_cqe_seen(ring, seen)
    }
    return answers
  }

  func stop() {
    guard !isStopped else { return }
    isStopped = true
    // SAFETY: nothing is in flight, so the kernel writes nowhere any more.
    unsafe io_uring_queue_exit(ring)
  }
}
