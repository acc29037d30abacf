internal import CFSRLinux
internal import Glibc

extension Directory {
  /// The names of the entries, `.` and `..` left out, in the kernel's order. More than `limit` is EFBIG:
  /// whoever lists a directory says how many it expects.
  public func names(limit: Int) throws(SystemError) -> [String] {
    let listing = try listing()
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

  /// Calls `body` with each entry that is a number, as /proc names processes and descriptors, until it answers false.
  func forEachNumber(_ body: (Int32) -> Bool) throws(SystemError) {
    let listing = try listing()
    while true {
      let records = try Directory.records(of: listing)
      if records.isEmpty { return }
      var next = 0
      while let name = Directory.name(in: records, at: &next) {
        if let number = Directory.number(name), !body(number) { return }
      }
    }
  }

  /// A description of its own, because duplicates share one position.
  private func listing() throws(SystemError) -> OwnedDescriptor {
    // SAFETY: the C string lives for the call.
    let raw = unsafe ".".withCString {
      unsafe cfsr_open(descriptor.raw, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    }
    return OwnedDescriptor(adopting: try check(raw, "openat", on: "."))
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

  private static func names(in records: [UInt8]) -> [String] {
    var names: [String] = []
    var next = 0
    while let name = name(in: records, at: &next) { names.append(String(decoding: name, as: UTF8.self)) }
    return names
  }

  /// Cuts one `struct linux_dirent64`: 8 bytes inode, 8 offset, 2 length of the record, 1 type, the name.
  private static func name(in records: [UInt8], at start: inout Int) -> ArraySlice<UInt8>? {
    let head = 19
    guard start + head < records.count else { return nil }
    let length = Int(records[start + 16]) | Int(records[start + 17]) << 8
    guard length > head, start + length <= records.count else { return nil }
    defer { start += length }
    return records[(start + head)..<(start + length)].prefix { $0 != 0 }
  }

  /// The number that a name is in decimal digits; nil where it is none.
  private static func number(_ name: ArraySlice<UInt8>) -> Int32? {
    guard !name.isEmpty else { return nil }
    var number: Int32 = 0
    for byte in name {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      let (tens, isLong) = number.multipliedReportingOverflow(by: 10)
      let (sum, isLarge) = tens.addingReportingOverflow(Int32(byte - UInt8(ascii: "0")))
      if isLong || isLarge { return nil }
      number = sum
    }
    return number
  }
}
