internal import CFSRLinux
internal import Glibc

/// The answers to a fault. Each wakes who waits for a page that it maps.
extension UserFault {
  /// How far `continuePages` came, and what ended it.
  public struct Progress: Sendable, Equatable {
    /// Bytes from the start of the range that are mapped now.
    public let mapped: UInt64
    public let end: End

    public enum End: Sendable, Equatable {
      /// The whole range is mapped.
      case done
      /// The next page is a hole.
      case hole
      /// The next page was mapped before. Nobody is woken: who waits there needs `wake`.
      case wasMapped
      /// The kernel stopped early, or did not say why: ask again from there.
      case again
    }
  }

  // SAFETY: for all below: the kernel refuses addresses outside what this descriptor has registered, and each range
  // is checked against the mapping.
  private func address(_ offset: UInt64, _ count: UInt64) -> UnsafeMutableRawPointer {
    precondition(count <= length && offset <= length - count, "outside the mapping")
    guard let base = unsafe base else { preconditionFailure("a mapping is registered first") }
    return unsafe base + Int(offset)
  }

  /// Maps pages that are there, as they are, and wakes who waits for them (UFFDIO_CONTINUE). For a fault and, in
  /// bulk, ahead of one.
  public func continuePages(_ offset: UInt64, count: UInt64) throws(SystemError) -> Progress {
    var mapped: Int64 = 0
    // SAFETY: see `address`.
    let answer = unsafe cfsr_userfault_continue(descriptor.raw, address(offset, count), count, &mapped)
    let done = UInt64(max(0, mapped))
    switch -answer {
    case 0: return Progress(mapped: done, end: .done)
    case EFAULT: return Progress(mapped: done, end: .hole)
    case EEXIST: return Progress(mapped: done, end: .wasMapped)
    case EAGAIN: return Progress(mapped: done, end: .again)
    default: throw SystemError("ioctl UFFDIO_CONTINUE", on: "\(count) bytes", errno: -answer)
    }
  }

  /// Puts pages of zeros where holes are and maps them; false where the first page is no hole, and nobody is woken.
  public func zeroPages(_ offset: UInt64, count: UInt64) throws(SystemError) -> Bool {
    // SAFETY: see `address`.
    let answer = unsafe cfsr_userfault_zero(descriptor.raw, address(offset, count), count)
    if answer == -EEXIST { return false }
    try check(answer, "ioctl UFFDIO_ZEROPAGE", on: "\(count) bytes")
    return true
  }

  /// Fills holes with `count` bytes of `source` from `from`, whole pages, and maps them; false where the first page is
  /// no hole, and nobody is woken.
  public func copyPages(
    _ offset: UInt64, count: UInt64, from source: borrowing MappedRegion, at from: UInt64
  ) throws(SystemError) -> Bool {
    precondition(source.contains(from, count: count), "outside the source")
    // SAFETY: see `address`; the source was checked above.
    let answer = unsafe cfsr_userfault_copy(
      descriptor.raw, address(offset, count), source.base + Int(from), count)
    if answer == -EEXIST { return false }
    try check(answer, "ioctl UFFDIO_COPY", on: "\(count) bytes")
    return true
  }

  /// Lets who waits in the range touch again.
  public func wake(_ offset: UInt64, count: UInt64) throws(SystemError) {
    // SAFETY: see `address`.
    let answer = unsafe cfsr_userfault_wake(descriptor.raw, address(offset, count), count)
    try check(answer, "ioctl UFFDIO_WAKE", on: "\(count) bytes")
  }
}
