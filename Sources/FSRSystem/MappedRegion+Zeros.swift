internal import Glibc

extension MappedRegion {
  /// Whether `count` bytes from `offset` are all zero; nobody changes them meanwhile.
  public func isZero(_ offset: UInt64, count: UInt64) -> Bool {
    precondition(count > 0 && contains(offset, count: count), "outside the mapping")
    // SAFETY: the range was checked. It is zero if its first byte is and each other equals the one before it.
    let start = unsafe base + Int(offset)
    if unsafe start.load(as: UInt8.self) != 0 { return false }
    return unsafe count == 1 || memcmp(start, start + 1, Int(count) - 1) == 0
  }
}
