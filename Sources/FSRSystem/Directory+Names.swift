internal import CFSRLinux
internal import Glibc

extension Directory {
  /// The names of the entries, `.` and `..` left out, in the kernel's order. More than `limit` is EFBIG:
  /// whoever lists a directory says how many it expects.
  public func names(limit: Int) throws(SystemError) -> [String] {
    // A description of its own, because duplicates share one position.
    // SAFETY: the C string lives for the call.
    let raw = unsafe ".".withCString {
      unsafe cfsr_open(descriptor.raw, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    }
    let listing = OwnedDescriptor(adopting: try check(raw, "openat", on: "."))
    var names: [String] = []
    while true {
      let records = try Directory.records(of: listing)
      if records.isEmpty { return names }
      for name in Directory.names(in: records) where name != "." && name != ".." {
        guard names.count < limit else {
          throw SystemError("getdents64", on: "more than \(limit) entries", errno: EFBIG)
        }
        names.append(name)
      }
    }
  }

  private static func records(of listing: borrowing OwnedDescriptor) throws(SystemError) -> [UInt8] {
    var answer: Int64 = 0
    let number = listing.raw
    // SAFETY: the kernel writes at most the capacity and answers how much it wrote.
    let records = unsafe [UInt8](unsafeUninitializedCapacity: 32768) { bytes, written in
      unsafe answer = cfsr_entries(number, bytes.baseAddress!, bytes.count)
      written = max(0, Int(answer))
    }
    try check(answer, "getdents64")
    return records
  }

  /// Cuts `struct linux_dirent64` records: 8 bytes inode, 8 offset, 2 length of the record, 1 type, the name.
  private static func names(in records: [UInt8]) -> [String] {
    let head = 19
    var names: [String] = []
    var start = 0
    while start + head < records.count {
      let length = Int(records[start + 16]) | Int(records[start + 17]) << 8
      guard length > head, start + length <= records.count else { break }
      let name = records[(start + head)..<(start + length)].prefix { $0 != 0 }
      names.append(String(decoding: name, as: UTF8.self))
      start += length
    }
    return names
  }
}
