/// One read or write of whole pages between a file and memory.
public struct PageTransfer: Sendable {
  /// Bytes in a page.
  public static let pageSize: UInt64 = 4096
  /// Pages that one transfer may have.
  public static let limit: UInt64 = 256

  public enum Direction: Sendable {
    /// From the file to memory.
    case read
    /// From memory to the file.
    case write
  }

  public let direction: Direction
  /// The pages of the file, counted from its start.
  public let pages: Range<UInt64>
  /// Kept mapped until the transfer is done.
  public let memory: Owned<MappedRegion>
  /// Where in `memory` the first page lies, in bytes; a multiple of the page size.
  public let offset: UInt64
  /// The caller's own number, which comes back with the completion.
  public let tag: UInt64

  /// Whoever calls has checked pages and offset: 1 to `limit` pages, all inside the memory and below 2^51, else
  /// it traps.
  ///
  /// Nobody may need a page for its content while it is read into. The memory is not registered with userfaultfd
  /// where its handler waits for this very transfer.
  public init(
    _ direction: Direction, pages: Range<UInt64>, memory: Owned<MappedRegion>, offset: UInt64, tag: UInt64
  ) {
    precondition(
      !pages.isEmpty && pages.upperBound - pages.lowerBound <= Self.limit, "1 to \(Self.limit) pages")
    precondition(pages.upperBound < 1 << 51, "a page that a file can have")
    precondition(offset % Self.pageSize == 0, "pages are aligned")
    let count = (pages.upperBound - pages.lowerBound) * Self.pageSize
    precondition(memory.value.contains(offset, count: count), "outside the memory")
    self.direction = direction
    self.pages = pages
    self.memory = memory
    self.offset = offset
    self.tag = tag
  }

  /// The same transfer under another number.
  public func tagged(_ tag: UInt64) -> PageTransfer {
    PageTransfer(direction, pages: pages, memory: memory, offset: offset, tag: tag)
  }

  /// Bytes in all pages.
  var byteCount: Int { Int((pages.upperBound - pages.lowerBound) * Self.pageSize) }
}

/// The end of a transfer.
public struct PageCompletion: Equatable, Sendable {
  /// As the transfer had it.
  public let tag: UInt64
  public let direction: PageTransfer.Direction
  /// Nil where all pages were transferred; else none of them is to be relied on.
  public let failure: SystemError?

  public init(tag: UInt64, direction: PageTransfer.Direction, failure: SystemError?) {
    self.tag = tag
    self.direction = direction
    self.failure = failure
  }
}
