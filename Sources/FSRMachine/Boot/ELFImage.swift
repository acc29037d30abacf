/// A RISC-V ELF64 executable, checked: the file may be anybody's.
public struct ELFImage: Sendable {
  /// Program headers, section headers and symbols looked at, at most.
  public static let segmentLimit = 64
  public static let sectionLimit = 4096
  public static let symbolLimit = 1 << 20

  /// Bytes of the file that go to a physical address; the memory up to `memorySize` after them is zero.
  struct Segment: Equatable, Sendable {
    let address: UInt64
    let file: Range<Int>
    let memorySize: UInt64
  }

  let bytes: [UInt8]
  /// Where harts start.
  public let entry: UInt64
  let segments: [Segment]

  public init(_ bytes: [UInt8]) throws(ELFError) {
    self.bytes = bytes
    guard bytes.count >= 64 else {
      throw bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) ? .truncated("header") : .notELF
    }
    guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw .notELF }
    let file = ELFBytes(bytes)
    let type = try file.read(16, UInt16.self, "header")
    let machine = try file.read(18, UInt16.self, "header")
    guard bytes[4] == 2, bytes[5] == 1, machine == 243, type == 2 || type == 3 else { throw .notRISCV64 }
    entry = try file.read(24, UInt64.self, "header")
    segments = try Self.segments(file)
    if segments.isEmpty { throw .noSegments }
  }

  private static func segments(_ file: ELFBytes) throws(ELFError) -> [Segment] {
    let table = try file.read(32, UInt64.self, "header")
    let size = Int(try file.read(54, UInt16.self, "header"))
    let count = Int(try file.read(56, UInt16.self, "header"))
    guard count <= segmentLimit else { throw .tooMany("program headers", count, limit: segmentLimit) }
    guard count == 0 || size == 56 else { throw .headerSize("program headers", size) }
    var segments: [Segment] = []
    for index in 0..<count {
      let at = try file.range(table, UInt64(count * size), "program headers").lowerBound + index * size
      guard try file.read(at, UInt32.self, "program header") == 1 else { continue }
      let offset = try file.read(at + 8, UInt64.self, "program header")
      let address = try file.read(at + 24, UInt64.self, "program header")
      let fileSize = try file.read(at + 32, UInt64.self, "program header")
      let memorySize = try file.read(at + 40, UInt64.self, "program header")
      if memorySize == 0 { continue }
      guard memorySize >= fileSize, !address.addingReportingOverflow(memorySize).overflow else {
        throw .badSegment(index)
      }
      let range = try file.range(offset, fileSize, "segment \(index)")
      segments.append(Segment(address: address, file: range, memorySize: memorySize))
    }
    return segments
  }

  /// A symbol, as the file has it: its address may be anything.
  public struct Symbol: Equatable, Sendable {
    public let address: UInt64
    /// Bytes; 0 where the file does not say.
    public let size: UInt64
    /// Whether it names data, or says nothing of what it names: no function, section or file.
    public let isData: Bool
    public let isGlobal: Bool
  }

  /// The symbols called one of `names`, of each name in the file's order; a stripped file has none.
  public func symbols(_ names: [String]) throws(ELFError) -> [String: [Symbol]] {
    let file = ELFBytes(bytes)
    let table = try file.read(40, UInt64.self, "header")
    let size = Int(try file.read(58, UInt16.self, "header"))
    let count = Int(try file.read(60, UInt16.self, "header"))
    if count == 0 || table == 0 { return [:] }
    guard count <= Self.sectionLimit else {
      throw .tooMany("section headers", count, limit: Self.sectionLimit)
    }
    guard size == 64 else { throw .headerSize("section headers", size) }
    let headers = try file.range(table, UInt64(count * size), "section headers").lowerBound
    for index in 0..<count {
      let at = headers + index * size
      guard try file.read(at + 4, UInt32.self, "section header") == 2 else { continue }
      let link = Int(try file.read(at + 40, UInt32.self, "section header"))
      guard link < count else { throw .truncated("symbol names") }
      let symbols = try sectionBytes(file, at, "symbols")
      let strings = try sectionBytes(file, headers + link * size, "symbol names")
      return try search(file, symbols, strings, for: names)
    }
    return [:]
  }

  private func sectionBytes(_ file: ELFBytes, _ header: Int, _ what: String) throws(ELFError) -> Range<Int> {
    let offset = try file.read(header + 24, UInt64.self, "section header")
    let size = try file.read(header + 32, UInt64.self, "section header")
    return try file.range(offset, size, what)
  }

  private func search(
    _ file: ELFBytes, _ symbols: Range<Int>, _ strings: Range<Int>, for names: [String]
  ) throws(ELFError) -> [String: [Symbol]] {
    let count = symbols.count / 24
    guard count <= Self.symbolLimit else { throw .tooMany("symbols", count, limit: Self.symbolLimit) }
    let wanted = names.map { (name: $0, bytes: Array($0.utf8) + [0]) }
    var found: [String: [Symbol]] = [:]
    for index in 0..<count {
      let at = symbols.lowerBound + index * 24
      let name = Int(try file.read(at, UInt32.self, "symbol"))
      // Section index 0 is a symbol that is only referred to.
      guard name < strings.count, try file.read(at + 6, UInt16.self, "symbol") != 0 else { continue }
      let rest = bytes[(strings.lowerBound + name)..<strings.upperBound]
      for candidate in wanted where rest.starts(with: candidate.bytes) {
        found[candidate.name, default: []].append(try symbol(file, at))
      }
    }
    return found
  }

  private func symbol(_ file: ELFBytes, _ at: Int) throws(ELFError) -> Symbol {
    let info = try file.read(at + 4, UInt8.self, "symbol")
    return Symbol(
      address: try file.read(at + 8, UInt64.self, "symbol"),
      size: try file.read(at + 16, UInt64.self, "symbol"),
      // STT_NOTYPE and STT_OBJECT; STB_GLOBAL.
      isData: info & 0xf <= 1, isGlobal: info >> 4 == 1)
  }
}

/// Reads of a file at offsets that the file itself gave.
private struct ELFBytes {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read<T: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _ type: T.Type, _ what: String)
    throws(ELFError) -> T
  {
    let width = T.bitWidth / 8
    guard offset >= 0, bytes.count >= width, offset <= bytes.count - width else { throw .truncated(what) }
    var value: T = 0
    for index in 0..<width { value |= T(bytes[offset + index]) << (index * 8) }
    return value
  }

  func range(_ offset: UInt64, _ size: UInt64, _ what: String) throws(ELFError) -> Range<Int> {
    let all = UInt64(bytes.count)
    guard size <= all, offset <= all - size else { throw .truncated(what) }
    return Int(offset)..<Int(offset + size)
  }
}
