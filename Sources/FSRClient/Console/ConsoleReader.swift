package import FSRHost
internal import Synchronization

/// Follows a console's output by itself: nobody waits for it, and what it is too late for is counted.
public struct ConsoleReader: Sendable {
  /// What came next.
  public struct Part: Sendable {
    /// Bytes before these that were overwritten unread.
    public var lost: UInt64 = 0
    public var bytes: [UInt8] = []
  }

  private let buffer: ConsoleBuffer
  private var position: UInt64
  /// Nothing is lost before anything was read: what was overwritten by then is merely older than what is kept.
  private var hasBegun = false

  package init(of buffer: ConsoleBuffer, skippingKept: Bool) {
    self.buffer = buffer
    position = skippingKept ? buffer.writtenCount : buffer.oldest
  }

  /// The next bytes, `limit` at most; none where none were written since.
  public mutating func next(limit: Int) -> Part {
    var part = Part()
    let end = buffer.writtenCount
    // The counter may be anything: one that went back is where to go on.
    if position > end { position = end }
    if end - position > ConsoleLayout.capacity {
      // Half a ring ahead of the writer, not a byte: it would be overtaken again at once.
      let target = end - ConsoleLayout.capacity / 2
      part.lost = target - position
      position = target
    }
    part.bytes = buffer.bytes(at: position, count: Int(min(end - position, UInt64(limit))))
    // The copies above come before the look at what was overwritten meanwhile.
    atomicMemoryFence(ordering: .acquiring)
    let oldest = buffer.oldest
    let next = position &+ UInt64(part.bytes.count)
    if oldest > position {
      let gone = min(oldest - position, UInt64(part.bytes.count))
      part.lost += gone
      part.bytes.removeFirst(Int(gone))
    }
    position = next
    if !hasBegun { part.lost = 0 }
    hasBegun = hasBegun || !part.bytes.isEmpty
    return part
  }

  /// Sleeps until there is more, `timeout` nanoseconds at most, or for less.
  public func wait(timeout: UInt64, unless isOver: () -> Bool) {
    buffer.waitForOutput(beyond: position, timeout: timeout, unless: isOver)
  }
}
