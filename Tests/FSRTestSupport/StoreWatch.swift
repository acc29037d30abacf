internal import CFSRTestLinux
import FSRSystem
import Synchronization

/// Sees in which order a piece of work stores into shared memory. Who reads it in another process relies on that order, and
/// meets a wrong one once in a thousand million times.
public enum StoreWatch {
  private static let turn = Mutex(())

  /// Runs `body`, and answers the offset of each of its stores into the one mapping of the file or memfd whose path ends
  /// with `name`. Nil, which is said loudly, where the processor is not one that this is written for.
  public static func stores(into name: String, by body: () -> Void) throws -> [UInt64]? {
    let range = try mapping(of: name)
    return try turn.withLock { _ in
      let answer = cfsrtest_watch_stores(range.lowerBound, range.upperBound - range.lowerBound)
      if answer < 0 {
        try OwnedDescriptor.standardError().write(
          Array("SKIPPED: the order of stores is not seen here: \(-answer)\n".utf8))
        return nil
      }
      body()
      let count = cfsrtest_end_watch()
      return (0..<count).map { UInt64(cfsrtest_store($0)) }
    }
  }

  private static func mapping(of name: String) throws -> Range<UInt64> {
    let bytes = try OwnedDescriptor.open("/proc/self/maps", .read).readAll(limit: 1 << 24)
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { line in
      (line.hasSuffix(name) || line.hasSuffix(name + " (deleted)")) && line.contains(" rw-s ")
    }
    let ends =
      lines.first?.prefix { $0 != " " }.split(separator: "-").compactMap { UInt64($0, radix: 16) } ?? []
    guard lines.count == 1, ends.count == 2 else { throw Absent() }
    return ends[0]..<ends[1]
  }
}
