public import FSRSystem

/// Where evicted pages go: slots of one page each, by number, read and written asynchronously. The swap file is one.
///
/// It belongs to the pager's thread. Pages travel in the buffers that `attach` lends, by index; a buffer is in at most one
/// operation at a time, and is its name. Completions may come in any order.
public protocol PageStore: AnyObject {
  /// Takes the memory in which pages travel: buffer n is the page at 4096·n. Once, before any operation.
  func attach(_ buffers: Owned<MappedRegion>) throws

  /// Takes a free slot, near `hint` where that is possible, so that what is evicted together lies together.
  ///
  /// - Throws: `PageStoreError.full`.
  func allocate(near hint: UInt32?) throws(PageStoreError) -> UInt32

  /// Gives a slot back; no operation on it is under way.
  func free(_ slot: UInt32)

  /// Begins to read the slot's page into a buffer.
  func read(_ slot: UInt32, into buffer: Int)

  /// Begins to write a buffer to the slot's page. The buffer does not change meanwhile.
  func write(_ slot: UInt32, from buffer: Int)

  /// Sees to it that what was begun is under way: called once after several.
  func submit()

  /// Takes an operation that has ended; nil where none has.
  func nextCompletion() -> PageStoreCompletion?

  /// Whether the kernel had no room for an operation that was begun: no event tells when it has, and `nextCompletion`
  /// asks it again.
  var isHeldUp: Bool { get }

  /// Watches for ended operations.
  func watch(in poller: inout Poller, token: Int)
}

/// An operation that has ended.
public struct PageStoreCompletion: Sendable, Equatable {
  public let buffer: Int
  /// Nil where it succeeded.
  public let error: PageStoreError?

  public init(buffer: Int, error: PageStoreError?) {
    self.buffer = buffer
    self.error = error
  }
}

/// What a page store cannot do.
public enum PageStoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No slot is free, or the disk behind has no space.
  case full
  /// The page could not be read or written.
  case io

  public var description: String {
    switch self {
    case .full: "the swap file is full"
    case .io: "the swap file cannot be read or written"
    }
  }
}
