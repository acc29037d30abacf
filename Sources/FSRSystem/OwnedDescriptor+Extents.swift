internal import CFSRLinux
internal import Glibc

/// Which parts of a sparse file are there. The descriptor's own offset moves, so nobody else may read by it.
extension OwnedDescriptor {
  /// Bytes of storage behind the file: of a memfd, its resident and swapped pages.
  public func allocatedBytes() throws(SystemError) -> UInt64 {
    let blocks = cfsr_allocated_blocks(raw)
    if blocks < 0 { throw SystemError("fstat", errno: Int32(-blocks)) }
    return UInt64(blocks) * 512
  }

  /// The next stretch that holds data, from `offset` on; nil where there is none (lseek SEEK_DATA, SEEK_HOLE).
  public func nextData(from offset: UInt64) throws(SystemError) -> Range<UInt64>? {
    let start = cfsr_seek_data(raw, offset)
    if start == -ENXIO { return nil }
    if start < 0 { throw SystemError("lseek", on: "SEEK_DATA", errno: Int32(-start)) }
    let end = cfsr_seek_hole(raw, UInt64(start))
    if end < 0 { throw SystemError("lseek", on: "SEEK_HOLE", errno: Int32(-end)) }
    return UInt64(start)..<UInt64(end)
  }
}
