/// How a pager decides.
public struct PagerSettings: Sendable, Hashable {
  /// Pages that may be resident.
  public var limit: UInt64
  /// Pages that may be resident beyond the limit while others are being written; a fault waits then.
  public var overshoot: UInt64
  /// Pages beyond the limit that may come while evictions are held for a handoff. Further ones push others out again.
  public var quiesceBound: UInt64
  /// How many pages wait, unmapped, for their second chance.
  public var candidates: Int
  /// How many of them the hand picks at a time.
  public var batch: Int
  /// Buffers, each for one operation under way; half of them at most are for writes.
  public var buffers: Int
  /// Pages that are read together where their slots lie together.
  public var readAhead: UInt64
  /// How often bringing a page in is tried before the guest is paused.
  public var tries: Int
  /// Nanoseconds before the second try; each later one waits twice as long.
  public var retryDelay: UInt64
  /// Nanoseconds for which nothing is written after the store was full or broken.
  public var storeDelay: UInt64

  /// - Parameter limit: pages that may be resident, at least 64.
  public init(limit: UInt64) {
    self.limit = max(64, limit)
    overshoot = 64
    quiesceBound = max(4096, limit / 8)
    candidates = Int(min(4096, max(16, limit / 8)))
    batch = 64
    buffers = 128
    readAhead = 8
    tries = 8
    retryDelay = 1_000_000
    storeDelay = 100_000_000
  }
}
