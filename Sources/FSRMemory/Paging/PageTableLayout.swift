public import FSRSystem

/// Where what lies in a page table's memfd. It is sparse: what no page of the guest has used takes no memory.
struct PageTableLayout: Sendable {
  // The header.
  static let magicAt: UInt64 = 0
  static let versionAt: UInt64 = 8
  static let startAt: UInt64 = 16
  static let pagesAt: UInt64 = 24
  static let residentAt: UInt64 = 32
  static let compressedAt: UInt64 = 40
  static let swappedAt: UInt64 = 48
  /// 1 from before the pager's last change until the handoff is decided.
  static let handoffAt: UInt64 = 56
  /// 1 once the pager has acknowledged that, and changes no directory.
  static let acknowledgedAt: UInt64 = 60

  /// "FSRPAGES", as it lies in memory.
  static let magic: UInt64 = 0x5345_4741_5052_5346
  static let version: UInt32 = 1
  /// 16 TiB of guest memory.
  static let pageLimit: UInt64 = 1 << 32

  let pages: UInt64
  let directories: UInt64
  /// Directories changed since the other side last looked.
  let changed: DirectoryBitmap
  /// Directories with any page that is not absent.
  let used: DirectoryBitmap
  /// Directories with resident pages.
  let resident: DirectoryBitmap
  /// 16 bytes for each directory: its counter, and how many of its pages are where.
  let records: UInt64
  /// 8 bytes for each page.
  let entries: UInt64
  let length: UInt64

  init(pages: UInt64) {
    self.pages = pages
    directories = (pages + PageTable.directoryPages - 1) / PageTable.directoryPages
    changed = DirectoryBitmap(start: 4096, directories: directories)
    used = DirectoryBitmap(start: changed.start + changed.length, directories: directories)
    resident = DirectoryBitmap(start: used.start + used.length, directories: directories)
    records = Self.roundUp(resident.start + resident.length)
    entries = Self.roundUp(records + directories * 16)
    length = entries + directories * 4096
  }

  private static func roundUp(_ value: UInt64) -> UInt64 { (value + 4095) & ~4095 }

  /// Odd while the directory is changed.
  func counter(_ directory: UInt64) -> UInt64 { records + directory * 16 }
  /// Three 16-bit counts: resident, compressed, swapped.
  func counts(_ directory: UInt64) -> UInt64 { records + directory * 16 + 8 }
  func entry(_ page: UInt64) -> UInt64 { entries + page * 8 }
}

/// Why paging metadata of a peer, or our own, is not to be used.
public enum PagingError: Reasoned, Equatable {
  /// Not of this kind, or of another version.
  case notPageTable
  /// Its size may still change, or is not what its header says.
  case wrongSize
  /// The range is not whole pages, or too large.
  case badRange
  /// The directory holds a word that says nothing, or names a place that does not exist.
  case badDirectory(UInt64)
  /// The counts do not add up.
  case badCounts
  /// The compression cache's ring is broken at that position.
  case badCache(UInt64)
  /// The other side has not acknowledged that it changes nothing any more.
  case notFrozen
  /// It does not answer within the deadline.
  case late
  /// Guest memory cannot be watched.
  case noUserFault(SystemError)

  public var reason: Reason {
    switch self {
    case .notPageTable: Reason("paging metadata of another kind or version")
    case .wrongSize: Reason("paging metadata of the wrong size, or whose size may still change")
    case .badRange: Reason("a pageable range that is not whole pages, or is too large")
    case .badDirectory(let directory): Reason("page directory \(directory) is broken")
    case .badCounts: Reason("the counts of pages do not add up")
    case .badCache(let position): Reason("the compression cache is broken at \(position)")
    case .notFrozen: Reason("the other side's pager still changes its page table")
    case .late: Reason("the pager does not answer in time", code: .deadline)
    case .noUserFault(let error): error.reason.causing("guest memory cannot be paged here", code: .rights)
    }
  }
}
