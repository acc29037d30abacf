internal import CFSRLinux
internal import Glibc

/// One message as it arrived.
@frozen public struct Received: ~Copyable, Sendable {
  public var bytes: [UInt8]
  /// Close-on-exec, in the order they were sent.
  public var descriptors: DescriptorBag
  /// Who sent it; nil unless `passSenderCredentials` was called before it was sent.
  public var sender: PeerCredentials?
}

extension UnixSocket {
  /// Sends one message with copies of `descriptors`, all of it or nothing.
  ///
  /// EMSGSIZE above `messageLimit` bytes, EINVAL above `descriptorLimit` descriptors or for a message without
  /// a byte, which a reader could not tell from the end. EPIPE when the peer is gone, and no signal; EAGAIN
  /// when the send timeout passed.
  public func send(_ bytes: [UInt8], descriptors: borrowing DescriptorBag) throws(SystemError) {
    try send(bytes, numbers: descriptors.numbers.filter { $0 >= 0 })
  }

  /// Sends one message without descriptors.
  public func send(_ bytes: [UInt8]) throws(SystemError) { try send(bytes, numbers: []) }

  private func send(_ bytes: [UInt8], numbers: [Int32]) throws(SystemError) {
    guard bytes.count <= UnixSocket.messageLimit else {
      throw SystemError("sendmsg", on: "\(bytes.count) bytes", errno: EMSGSIZE)
    }
    guard !bytes.isEmpty, numbers.count <= UnixSocket.descriptorLimit else {
      throw SystemError(
        "sendmsg", on: "\(bytes.count) bytes and \(numbers.count) descriptors", errno: EINVAL)
    }
    let number = descriptor.raw
    // SAFETY: both arrays live for the call, which reads as many elements as are told.
    let answer = unsafe bytes.withUnsafeBytes { bytes in
      unsafe numbers.withUnsafeBufferPointer {
        unsafe cfsr_send(number, bytes.baseAddress!, bytes.count, $0.baseAddress, $0.count)
      }
    }
    try check(answer, "sendmsg", on: "\(bytes.count) bytes")
  }

  /// Takes the next message; nil when the peer is gone and nothing is left.
  ///
  /// A message of more than `limit` bytes or `maximumDescriptors` descriptors is lost: everything that came with it is
  /// closed, and EMSGSIZE thrown. So is one whose descriptors found no place in this process's table: EMFILE.
  /// ETIMEDOUT after `timeout` nanoseconds; nil waits without end, 0 not at all.
  public func receive(limit: Int, maximumDescriptors: Int, timeout: UInt64? = nil) throws(SystemError)
    -> Received?
  {
    precondition(limit > 0 && limit <= UnixSocket.messageLimit, "a limit of 1 byte to 64 KiB")
    let deadline = MonotonicClock.deadline(after: timeout)
    while true {
      if timeout != nil, try !descriptor.waitUntilReady(deadline: deadline) {
        throw SystemError("recvmsg", on: descriptor.subject, errno: ETIMEDOUT)
      }
      do {
        return try receive(limit, maximumDescriptors, waiting: timeout == nil)
      } catch  where error.errno == EAGAIN && timeout != nil {
        // Another thread was first.
        if timeout == 0 { throw SystemError("recvmsg", on: descriptor.subject, errno: ETIMEDOUT) }
      } catch  where error.errno == ECONNRESET {
        // Said once, when the peer left with our messages unread; what it sent before is still there.
      }
    }
  }

  private func receive(_ limit: Int, _ maximumDescriptors: Int, waiting: Bool) throws(SystemError)
    -> Received?
  {
    var beside = cfsr_received()
    var numbers = [Int32](repeating: -1, count: Int(CFSR_DESCRIPTORS_ROOM))
    var answer: Int64 = 0
    let number = descriptor.raw
    // SAFETY: the kernel writes at most the capacity; the array of numbers is as long as the call may fill.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { target, written in
      unsafe numbers.withUnsafeMutableBufferPointer {
        unsafe answer = cfsr_receive(
          number, target.baseAddress!, limit, waiting ? 0 : 1, $0.baseAddress!, &beside)
      }
      written = max(0, Int(answer))
    }
    try check(answer, "recvmsg", on: descriptor.subject)
    // Owned from here, so that every way out closes them.
    let bag = DescriptorBag(adopting: Array(numbers.prefix(Int(beside.count))))
    guard answer > 0 else { return nil }
    guard beside.truncated == 0, bag.count <= maximumDescriptors else {
      throw SystemError(
        "recvmsg", on: "more than \(limit) bytes or \(maximumDescriptors) descriptors", errno: EMSGSIZE)
    }
    // There was room for as many as one message may have. Whether there is a place in the table tells nothing: another
    // thread may have given one back meanwhile.
    if beside.withheld != 0 { throw SystemError("recvmsg", on: descriptor.subject, errno: EMFILE) }
    return Received(
      bytes: bytes, descriptors: bag,
      sender: beside.sender.present == 0 ? nil : PeerCredentials(beside.sender))
  }
}
