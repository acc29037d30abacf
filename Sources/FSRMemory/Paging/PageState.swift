/// Where a page's content is, for as long as nothing is under way with it.
public enum PageState: Hashable, Sendable {
  /// All zeros, and nothing is stored.
  case absent
  /// In the memfd of guest memory, whether or not it is mapped.
  case resident
  /// In the compression cache, at that position of its ring.
  case compressed(UInt64)
  /// In that slot of the page store.
  case swapped(UInt32)
}

extension PageState {
  /// Positions have 56 bits: at a gigabyte a second the ring reaches them after two years.
  public static let positionLimit: UInt64 = 1 << 56

  /// As the page table holds it: the kind in the lowest byte, the place above.
  var word: UInt64 {
    switch self {
    case .absent: 0
    case .resident: 1
    case .compressed(let position): position << 8 | 2
    case .swapped(let slot): UInt64(slot) << 8 | 3
    }
  }

  /// Nil for a word that says nothing.
  init?(word: UInt64) {
    let place = word >> 8
    switch word & 0xff {
    case 0 where place == 0: self = .absent
    case 1 where place == 0: self = .resident
    case 2: self = .compressed(place)
    case 3:
      guard let slot = UInt32(exactly: place) else { return nil }
      self = .swapped(slot)
    default: return nil
    }
  }
}

/// How many pages are where; the rest are absent.
public struct PageCounts: Hashable, Sendable {
  public var resident: UInt64 = 0
  public var compressed: UInt64 = 0
  public var swapped: UInt64 = 0

  public init() {}

  /// One page more, or less, in `state`.
  mutating func change(_ state: PageState, by one: Int64) {
    switch state {
    case .absent: break
    case .resident: resident = UInt64(Int64(resident) + one)
    case .compressed: compressed = UInt64(Int64(compressed) + one)
    case .swapped: swapped = UInt64(Int64(swapped) + one)
    }
  }
}
