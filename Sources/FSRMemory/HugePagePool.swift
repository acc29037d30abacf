internal import FSRSystem

/// The host's pool of pages of 2 MiB.
enum HugePagePool {
  private static let size = "hugepages-2048kB"

  /// Pages that nobody has and nobody is promised, of the whole pool or of that of `nodes`; nil where that cannot be told.
  static func free(on nodes: NodeSet?) -> UInt64? {
    guard let nodes else {
      let folder = "/sys/kernel/mm/hugepages/\(size)"
      guard let free = number("\(folder)/free_hugepages") else { return nil }
      return free - min(free, number("\(folder)/resv_hugepages") ?? 0)
    }
    var sum: UInt64 = 0
    for node in nodes.nodes {
      guard let free = number("/sys/devices/system/node/node\(node)/hugepages/\(size)/free_hugepages") else {
        return nil
      }
      sum += free
    }
    return sum
  }

  private static func number(_ path: String) -> UInt64? {
    guard let bytes = try? OwnedDescriptor.open(path, .read).readAll(limit: 64) else { return nil }
    return UInt64(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
