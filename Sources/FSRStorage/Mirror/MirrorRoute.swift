/// Where each write of a file goes while its blocks are copied to another file behind a cursor.
///
/// Without any deed: writes, ends and chunks in, deeds out. Blocks are counted from the file's start; what a block is,
/// only the owner knows. A block before the cursor is the same in both files, so a write there goes to both; one that
/// lies behind it goes to the original alone and is copied later; one that touches the chunk just being moved waits
/// until that is done. A write that overlaps an earlier one waits for it, so that both files see the two in one order.
/// Reads are none of its business: they come from the original.
public struct MirrorRoute: Hashable, Sendable {
  public enum Target: Hashable, Sendable {
    case original
    case both
  }

  public enum Deed: Hashable, Sendable {
    /// Start this write.
    case start(UInt64, Target)
    /// This write has ended, as its owner sees it.
    case finish(UInt64)
    /// Nobody writes these blocks any more: copy them.
    case move(Range<UInt64>)
  }

  private struct Write: Hashable, Sendable {
    let id: UInt64
    let blocks: Range<UInt64>
    /// Nil while it waits.
    var target: Target?
    var isInOriginal = false
    var isInCopy = false
  }

  /// Whether writes still go to the copy.
  public private(set) var isOn = true
  /// Blocks below it are the same in both files.
  public private(set) var cursor: UInt64
  /// What is being moved, or will be as soon as nobody writes there.
  public private(set) var chunk: Range<UInt64>?
  /// Whether the chunk's copying was asked for.
  public private(set) var isMoving = false
  /// Whether all blocks are the same in both files.
  public private(set) var isWhole = false
  /// The block behind the last.
  public private(set) var end: UInt64
  /// Whether writes of before the mirror may still be under way.
  private var isHolding = true
  /// Those that have not finished, in their order.
  private var writes: [Write] = []

  /// - Parameter blocks: those that are to be the same in the end.
  public init(_ blocks: Range<UInt64>) {
    cursor = blocks.lowerBound
    end = blocks.upperBound
  }

  /// Writes that have not finished.
  public var pending: Int { writes.count }

  /// Writes that wait for something.
  public var waiting: Int { writes.count { $0.target == nil } }

  /// Whether a write waits for nothing but the copy, or for the chunk that is being moved.
  public var isHeldUp: Bool {
    writes.contains { write in
      if write.target == nil { return isMoving && chunk?.overlaps(write.blocks) == true }
      return isOn && write.target == .both && write.isInOriginal && !write.isInCopy
    }
  }

  /// All that was written before the mirror stood has ended.
  public mutating func begin(_ deeds: inout [Deed]) {
    isHolding = false
    settle(&deeds)
  }

  /// Somebody is to write `blocks`.
  ///
  /// - Parameter id: one that no other pending write has.
  public mutating func write(_ id: UInt64, _ blocks: Range<UInt64>, _ deeds: inout [Deed]) {
    precondition(!blocks.isEmpty, "a write of something")
    writes.append(Write(id: id, blocks: blocks))
    settle(&deeds)
  }

  /// The original has the write, or has refused it.
  public mutating func originalEnded(_ id: UInt64, _ deeds: inout [Deed]) {
    guard let index = writes.firstIndex(where: { $0.id == id }) else { return }
    writes[index].isInOriginal = true
    settle(&deeds)
  }

  /// The copy has the write. Nobody may still ask: then it is passed over.
  public mutating func copyEnded(_ id: UInt64, _ deeds: inout [Deed]) {
    guard let index = writes.firstIndex(where: { $0.id == id }) else { return }
    writes[index].isInCopy = true
    settle(&deeds)
  }

  /// Asks for the next blocks to be copied, at most `limit`; false where there are none any more, and all is the same.
  public mutating func advance(upTo limit: UInt64, _ deeds: inout [Deed]) -> Bool {
    precondition(chunk == nil && isOn && !isHolding, "one chunk after the other")
    guard cursor < end else {
      isWhole = true
      return false
    }
    chunk = cursor..<(cursor + min(max(1, limit), end - cursor))
    settle(&deeds)
    return true
  }

  /// The chunk was copied.
  public mutating func moved(_ deeds: inout [Deed]) {
    guard let chunk, isMoving else { preconditionFailure("a chunk is moved before") }
    cursor = chunk.upperBound
    self.chunk = nil
    isMoving = false
    settle(&deeds)
  }

  /// Both files are longer now. The new blocks hold nothing yet.
  public mutating func grow(to newEnd: UInt64) {
    end = max(end, newEnd)
    if isWhole { cursor = end }
  }

  /// Writes go to the original alone from here on, and are finished when that has them.
  public mutating func takeOff(_ deeds: inout [Deed]) {
    isOn = false
    isHolding = false
    chunk = nil
    isMoving = false
    settle(&deeds)
  }

  // MARK: what follows

  /// Finishes, starts and moves whatever can be by now.
  private mutating func settle(_ deeds: inout [Deed]) {
    writes.removeAll { write in
      guard write.isInOriginal, write.target == .original || write.isInCopy || !isOn else { return false }
      deeds.append(.finish(write.id))
      return true
    }
    for index in writes.indices where writes[index].target == nil && mayStart(index) {
      let target = target(of: writes[index].blocks)
      writes[index].target = target
      deeds.append(.start(writes[index].id, target))
    }
    if let chunk, !isMoving, !writes.contains(where: { $0.target != nil && $0.blocks.overlaps(chunk) }) {
      isMoving = true
      deeds.append(.move(chunk))
    }
  }

  private func mayStart(_ index: Int) -> Bool {
    let blocks = writes[index].blocks
    if isHolding { return false }
    if let chunk, chunk.overlaps(blocks) { return false }
    return !writes[..<index].contains { $0.blocks.overlaps(blocks) }
  }

  /// One across the cursor goes to both: what of it lies behind is copied once more.
  private func target(of blocks: Range<UInt64>) -> Target {
    isOn && (isWhole || blocks.lowerBound < cursor) ? .both : .original
  }
}
