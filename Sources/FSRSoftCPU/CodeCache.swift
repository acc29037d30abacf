import FSRMachine
import FSRMemory

/// Predecoded code: a slot per halfword of the guest's pages that were executed lately.
///
/// It lives in one array, whose elements the hot loop reads without going through a class. A guest that writes
/// over code sees the old one until `fence.i`, as the architecture allows.
struct CodeCache {
  static let pageSize: UInt64 = 4096
  /// Halfwords in a page, and two ends: an instruction may reach one halfword into the next page.
  static let slotsPerPage = 2048 + 2
  /// Direct-mapped by page number: 256 KiB of code.
  static let pages = 64
  /// No page has this address.
  private static let nothing: UInt64 = 1

  var slots = [MicroOp](repeating: .undecoded, count: pages * slotsPerPage)
  private var tags = InlineArray<64, UInt64>(repeating: nothing)

  /// The first slot of the page at `address`, which is emptied if it held another page.
  mutating func firstSlot(ofPage address: UInt64) -> Int {
    let index = Int(address / Self.pageSize % UInt64(Self.pages))
    if tags[index] != address {
      tags[index] = address
      let first = index * Self.slotsPerPage
      for slot in first..<first + Self.slotsPerPage - 2 { slots[slot] = .undecoded }
      slots[first + Self.slotsPerPage - 2] = MicroOp(.pageEnd)
      slots[first + Self.slotsPerPage - 1] = MicroOp(.pageEnd)
    }
    return index * Self.slotsPerPage
  }

  /// Drops everything that was decoded.
  mutating func drop() {
    for index in tags.indices { tags[index] = Self.nothing }
  }

  /// Decodes the instruction at `pc`, which is even; nil where it does not lie in RAM.
  static func fetch(_ pc: UInt64, _ memory: GuestMemory) -> MicroOp? {
    let offset = pc &- BoardMap.ram
    guard let low = memory.guestLoad(offset, as: UInt16.self) else { return nil }
    if low & 3 != 3 { return Decoder.decode(UInt32(low)) }
    guard let high = memory.guestLoad(offset &+ 2, as: UInt16.self) else { return nil }
    return Decoder.decode(UInt32(high) << 16 | UInt32(low))
  }
}
