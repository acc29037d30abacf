/// Why a guest's ELF file was refused.
public enum ELFError: Error, Equatable, Sendable, CustomStringConvertible {
  case notELF
  /// Not 64-bit, little-endian, RISC-V, executable.
  case notRISCV64
  /// A header or a segment's bytes lie outside the file.
  case truncated(String)
  case tooMany(String, Int, limit: Int)
  case headerSize(String, Int)
  case noSegments
  /// A segment that takes less memory than it has bytes, or whose end wraps.
  case badSegment(Int)
  /// No segment lies in RAM; the first of them.
  case outsideRAM(address: UInt64, bytes: UInt64)
  /// A segment lies where the device tree goes, at the end of RAM.
  case overlapsDeviceTree(address: UInt64)
  /// Nor are there bytes where harts start without an entry.
  case entryOutsideRAM(UInt64)
  /// Two segments have bytes for one address.
  case overlap(address: UInt64)

  public var description: String {
    switch self {
    case .notELF: "not an ELF file"
    case .notRISCV64: "not an executable ELF for 64-bit little-endian RISC-V"
    case .truncated(let what): "the file ends before its \(what)"
    case .tooMany(let what, let count, let limit): "\(count) \(what), \(limit) are allowed"
    case .headerSize(let what, let size): "\(what) of \(size) bytes"
    case .noSegments: "nothing to load in it"
    case .badSegment(let index): "segment \(index) makes no sense"
    case .outsideRAM(let address, _) where address < BoardMap.ram:
      "\(hex(address)) lies below RAM, which begins at \(hex(BoardMap.ram)); link it to run there"
    case .outsideRAM(let address, let bytes):
      "\(bytes) bytes at \(hex(address)) do not lie in RAM; give more memory"
    case .overlapsDeviceTree(let address):
      "the segment at \(hex(address)) lies where the device tree goes; give more memory"
    case .entryOutsideRAM(let address):
      "the entry \(hex(address)) does not lie in RAM, which begins at \(hex(BoardMap.ram)), at an even address"
    case .overlap(let address): "two segments have bytes for \(hex(address)); link them apart"
    }
  }

  private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
