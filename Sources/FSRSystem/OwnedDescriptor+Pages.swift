internal import CFSRLinux
internal import Glibc

/// A file's bytes to and from a mapping of something else, past every mapping of the file itself: nothing of it is
/// mapped, and nobody faults.
extension OwnedDescriptor {
  /// Reads `count` bytes from `offset` into `target` at `place`; EIO at the file's end. A hole reads as zeros and stays one.
  public func read(
    at offset: UInt64, count: UInt64, into target: borrowing MappedRegion, at place: UInt64
  ) throws(SystemError) {
    precondition(target.contains(place, count: count), "outside the mapping")
    var done: UInt64 = 0
    while done < count {
      // SAFETY: the range was checked, and `done` is below its length.
      let answer = unsafe cfsr_read_at(
        raw, target.base + Int(place + done), Int(count - done), offset + done)
      try check(answer, "pread", on: subject)
      if answer == 0 { throw SystemError("pread", on: subject, errno: EIO) }
      done += UInt64(answer)
    }
  }

  /// Writes `count` bytes of `source` from `place` to `offset`.
  public func write(
    at offset: UInt64, count: UInt64, from source: borrowing MappedRegion, at place: UInt64
  ) throws(SystemError) {
    precondition(source.contains(place, count: count), "outside the mapping")
    var done: UInt64 = 0
    while done < count {
      // SAFETY: the range was checked, and `done` is below its length.
      let answer = unsafe cfsr_write_at(
        raw, source.base + Int(place + done), Int(count - done), offset + done)
      try check(answer, "pwrite", on: subject)
      if answer == 0 { throw SystemError("pwrite", on: subject, errno: EIO) }
      done += UInt64(answer)
    }
  }

  /// Makes `count` bytes from `offset`, whole pages, a hole: their storage is given back, and they go out of every
  /// mapping of every process (fallocate(2), FALLOC_FL_PUNCH_HOLE).
  public func punchHole(at offset: UInt64, count: UInt64) throws(SystemError) {
    try check(cfsr_punch(raw, offset, count), "fallocate", on: "PUNCH_HOLE")
  }

  /// Lets the kernel copy up to `count` bytes from `offset` to the same place of `target`, by sharing blocks where the
  /// file system can (copy_file_range(2)); answers how many, 0 at the file's end.
  public func copyRange(to target: borrowing OwnedDescriptor, at offset: UInt64, count: UInt64)
    throws(SystemError) -> UInt64
  {
    UInt64(try check(cfsr_copy_range(raw, target.raw, offset, Int(count)), "copy_file_range", on: subject))
  }
}
