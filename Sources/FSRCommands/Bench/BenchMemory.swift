internal import FSRClient
internal import FSRHost
internal import FSRMachine
package import FSRSystem

/// A guest's memory in one case of the bench: `64M`, all of it touched, or `1T-sparse`, which takes little, or
/// `1T-sparse:1G`, which takes that much.
package struct BenchMemory: Hashable, Sendable, CustomStringConvertible {
  private static let sparseSuffix = "-sparse"
  private static let pagedSuffix = "-paged"
  /// What a sparse guest works in, spread over all of its memory, where nothing else is said; also the smallest size here.
  private static let usualSet = ByteSize(64 * ByteSize.mebi)

  let size: ByteSize
  /// What a sparse guest works in; nil works in all of its memory.
  private let sparseSet: ByteSize?
  var isSparse: Bool { sparseSet != nil }
  /// Whether the guest may keep a quarter of what it works in, and pages go and come all the while.
  let isPaged: Bool

  package init(parsing whole: String) throws(ValueError) {
    isPaged = whole.hasSuffix(BenchMemory.pagedSuffix)
    let text = isPaged ? String(whole.dropLast(BenchMemory.pagedSuffix.utf8.count)) : whole
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let isSparse = parts[0].hasSuffix(BenchMemory.sparseSuffix)
    size = try ByteSize(
      parsing: isSparse ? String(parts[0].dropLast(BenchMemory.sparseSuffix.utf8.count)) : text)
    let set = try parts.count > 1 ? ByteSize(parsing: parts[1]) : BenchMemory.usualSet
    sparseSet = isSparse ? set : nil
    guard !isSparse || (set.bytes >= BenchMemory.usualSet.bytes && set.bytes % StatusAnswer.pageSize == 0)
    else {
      throw ValueError("a sparse guest works in \(BenchMemory.usualSet) at least, in whole pages of 4K")
    }
    let least = isPaged ? 16 * ByteSize.mebi : 2 * ByteSize.mebi
    let smallest = isSparse ? min(set.bytes, BoardMap.largestRAM / 2) * 2 : least
    guard size.bytes >= smallest, size.bytes <= BoardMap.largestRAM,
      size.bytes % StatusAnswer.pageSize == 0
    else {
      throw ValueError(
        "a guest's memory is \(ByteSize(smallest)) to \(ByteSize(BoardMap.largestRAM)) here, in whole pages of 4K"
      )
    }
  }

  /// A list with commas, such as `64M,8G,1T-sparse`.
  package static func list(parsing text: String) throws(ValueError) -> [BenchMemory] {
    var list: [BenchMemory] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      list.append(try BenchMemory(parsing: String(part)))
    }
    return list
  }

  package var description: String {
    let set = sparseSet.map { $0 == BenchMemory.usualSet ? "" : ":\($0)" }
    return "\(size)" + (set.map { BenchMemory.sparseSuffix + $0 } ?? "")
      + (isPaged ? BenchMemory.pagedSuffix : "")
  }

  /// What a guest lives in that is paged; its swap file is at `path`.
  func paging(swap path: String) -> PagingConfiguration? {
    guard isPaged else { return nil }
    return PagingConfiguration(
      resident: touched / 4 / StatusAnswer.pageSize * StatusAnswer.pageSize, swap: path)
  }

  /// Bytes that the guest works in.
  var touched: UInt64 { sparseSet?.bytes ?? size.bytes }

  /// The working set that the soak guest is told; 0 is all of its memory.
  var workingSet: UInt64 { sparseSet?.bytes ?? 0 }

  /// Every n-th page is in it. A tenth is left for what is not free.
  var stride: UInt64 { sparseSet.map { max(1, size.bytes / $0.bytes * 9 / 10) } ?? 1 }

  /// Why this machine cannot hold it; nil where it can. A quarter stays free for all else.
  func blocker() throws(SystemError) -> String? {
    // A sparse page has a table of its own, of a page, in each process and where it is paged.
    let need = sparseSet.map { $0.bytes * 2 } ?? size.bytes
    let available = try Host.availableMemory()
    guard need > available / 4 * 3 else { return nil }
    return "it needs \(ByteSize.readable(need)), and \(ByteSize.readable(available)) are available"
  }
}

extension Host {
  /// Bytes that can be had without swapping, by /proc/meminfo.
  static func availableMemory() throws(SystemError) -> UInt64 {
    let path = "/proc/meminfo"
    let text = String(decoding: try OwnedDescriptor.open(path, .read).readAll(limit: 65536), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    let words = line?.split(separator: " ") ?? []
    guard words.count > 1, let kibibytes = UInt64(words[1]), kibibytes < UInt64(Int64.max) / 1024 else {
      throw SystemError("read", on: "\(path), which names no available memory", errno: 71)
    }
    return kibibytes * 1024
  }
}
